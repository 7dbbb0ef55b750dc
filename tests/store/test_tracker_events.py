from __future__ import annotations

import pytest

from bot.store import (
    Conflict,
    TrackerEvents,
    Vault,
    migrate,
    open_engine,
    reading,
    vault_of,
    writing,
)
from bot.store.keyring import new_keyring
from bot.turns import DialogueRow, mark_of
from tests.events import append


def test_events_come_back_in_order_and_from_any_number_on(engine):
    with writing(engine) as db:
        append(db, "a", 1, ["one", "two"])
        append(db, "a", 3, ["three"])
        append(db, "b", 1, ["other"])
    with reading(engine) as db:
        assert TrackerEvents(db).read("a") == ["one", "two", "three"]
        assert TrackerEvents(db).read("a", after_seq=2) == ["three"]
        assert TrackerEvents(db).read("nobody") == []
        assert TrackerEvents(db).conversations() == ["a", "b"]


def test_the_second_writer_of_a_number_is_told_and_changes_nothing(engine):
    with writing(engine) as db:
        append(db, "a", 1, ["first"])
    with writing(engine) as db:
        append(db, "a", 2, ["second"])
    with pytest.raises(Conflict), writing(engine) as db:  # noqa: PT012
        append(db, "b", 1, ["kept only if all is kept"])
        with pytest.raises(Conflict):
            append(db, "a", 2, ["also second"])
        raise Conflict("the writer gives up")
    with reading(engine) as db:
        assert TrackerEvents(db).read("a") == ["first", "second"]
        assert TrackerEvents(db).read("b") == []


def test_deleted_events_are_gone_and_numbering_starts_again(engine):
    with writing(engine) as db:
        append(db, "a", 1, ["one"])
        TrackerEvents(db).delete("a")
        append(db, "a", 1, ["anew"])
    with reading(engine) as db:
        assert TrackerEvents(db).read("a") == ["anew"]


def test_one_row_can_stand_for_all_before_it(engine):
    sealed = TrackerEvents.seal(engine, "a", 3, "both")
    with writing(engine) as db:
        append(db, "a", 1, ["one", "two"])
        TrackerEvents(db).keep("a", DialogueRow(3, sealed, in_place_of_all=True))
    with reading(engine) as db:
        assert TrackerEvents(db).read("a") == ["both"]
    with pytest.raises(Conflict), writing(engine) as db:
        append(db, "a", 3, ["written by somebody who has not seen it"])


def test_the_newest_row_is_known_by_whoever_encrypted_it(engine):
    mine = TrackerEvents.seal(engine, "a", 2, "two")
    with writing(engine) as db:
        append(db, "a", 1, ["one"])
        TrackerEvents(db).keep("a", DialogueRow(2, mine))
    with writing(engine) as db:
        assert TrackerEvents(db).newest("a") == (2, mine)
        TrackerEvents(db).delete("a")
        assert TrackerEvents(db).newest("a") is None
        append(db, "a", 1, ["one", "two"])
        assert mark_of(TrackerEvents(db).newest("a")[1]) != mark_of(mine)


def test_what_was_encrypted_before_the_keys_were_rotated_is_encrypted_anew(empty_database):
    old = new_keyring()
    before = open_engine(empty_database, Vault(old))
    migrate(before)
    sealed = TrackerEvents.seal(before, "a", 1, "one")
    after = open_engine(empty_database, Vault(old.with_new_key()))
    with writing(after) as db:
        TrackerEvents(db).keep("a", DialogueRow(1, sealed))
        number, stored = TrackerEvents(db).newest("a")
    assert (number, vault_of(after).is_current(stored)) == (1, True)
    with reading(after) as db:
        assert TrackerEvents(db).read("a") == ["one"]
