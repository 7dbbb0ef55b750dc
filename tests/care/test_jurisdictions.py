"""Where the law or the clinic's licence keeps a level from the visitor."""

from __future__ import annotations

import pytest

from bot.care.jurisdictions import (
    LICENSED,
    OUTSIDE_LICENSED_STATES,
    RESERVED_BY_LAW,
    STATE_UNKNOWN,
    jurisdiction_problems,
    level_may_be_shown,
    load_jurisdictions,
)
from bot.care.states import STATE_CODES
from bot.vocabulary import UNKNOWN


@pytest.mark.parametrize("state", ["IL", "NV", "ME", "TN"])
def test_states_that_reserve_recommendations_are_closed_even_with_a_license(state: str) -> None:
    gate = level_may_be_shown(state, STATE_CODES)
    assert (gate.allowed, gate.reason) == (False, RESERVED_BY_LAW)
    assert gate.source
    assert gate.verified_on


@pytest.mark.parametrize("state", ["MA", "GA"])
def test_massachusetts_and_georgia_are_open_to_clinics_licensed_there(state: str) -> None:
    gate = level_may_be_shown(state, [state])
    assert (gate.allowed, gate.reason) == (True, LICENSED)
    assert gate.source


def test_outside_the_licensed_states_the_gate_is_closed() -> None:
    gate = level_may_be_shown("NH", ["MA"])
    assert (gate.allowed, gate.reason) == (False, OUTSIDE_LICENSED_STATES)
    assert "NH" in gate.why


def test_a_licensed_state_without_an_entry_is_open() -> None:
    assert level_may_be_shown("NH", ["MA", "NH"]).allowed


@pytest.mark.parametrize("state", [UNKNOWN, None])
def test_an_unknown_state_is_closed(state: str | None) -> None:
    gate = level_may_be_shown(state, STATE_CODES)
    assert (gate.allowed, gate.reason) == (False, STATE_UNKNOWN)


@pytest.mark.parametrize("state", ["ZZ", "ma", "", "Massachusetts"])
def test_a_state_that_does_not_exist_is_an_error(state: str) -> None:
    with pytest.raises(ValueError, match="state does not take"):
        level_may_be_shown(state, ["MA"])


def test_every_state_is_either_open_or_closed_with_a_reason() -> None:
    for state in STATE_CODES:
        gate = level_may_be_shown(state, ["MA", "GA"])
        assert gate.why
        assert gate.allowed == (state in ("MA", "GA"))


def test_every_entry_has_a_source_and_a_date() -> None:
    assert jurisdiction_problems() == []
    for found in load_jurisdictions().states.values():
        assert found.source
        assert found.verified_on.year >= 2026
