"""The table of moves, over all pairs."""

from __future__ import annotations

import itertools

import pytest

from bot.console.moves import (
    AGREE,
    ASK_SECOND,
    CLOSED,
    CLOSING,
    MISS,
    MOVES,
    REACH,
    REACHED,
    REFUSE,
    RESOLVE,
    STATUSES,
    VISITOR_WROTE,
    NotAllowedError,
    after,
    to_close,
)

PAIRS = list(itertools.product(STATUSES, MOVES))


def possible(status: str, move: str) -> bool:
    """The rules in words, apart from the table."""
    if move == VISITOR_WROTE:
        return True
    if status == CLOSED:
        return False
    if status == CLOSING:
        return move in (AGREE, REFUSE)
    if move == ASK_SECOND:
        return status != REACHED
    return move in (MISS, REACH, RESOLVE)


@pytest.mark.parametrize(("status", "move"), PAIRS)
def test_a_move_is_possible_exactly_where_the_rules_say_so(status, move):
    if possible(status, move):
        assert after(status, move) in STATUSES
    else:
        with pytest.raises(NotAllowedError):
            after(status, move)


@pytest.mark.parametrize("status", STATUSES)
def test_a_visitor_who_writes_leaves_nothing_closed_or_closing(status):
    assert after(status, VISITOR_WROTE) not in (CLOSED, CLOSING)


@pytest.mark.parametrize(("status", "move"), [pair for pair in PAIRS if possible(*pair)])
def test_only_a_closing_move_closes(status, move):
    assert (after(status, move) == CLOSED) == (move in (RESOLVE, AGREE))


def test_a_person_of_high_risk_who_was_not_reached_takes_two_to_close():
    assert {status: to_close(status, high_risk=True) for status in ("new", "attempted")} == {
        "new": ASK_SECOND,
        "attempted": ASK_SECOND,
    }
    assert to_close(REACHED, high_risk=True) == RESOLVE
    assert to_close("new", high_risk=False) == RESOLVE
