from __future__ import annotations

import pytest

from bot.store import Conflict, TrackerEvents, reading, writing


def test_events_come_back_in_order_and_from_any_number_on(engine):
    with writing(engine) as db:
        TrackerEvents(db).append("a", 1, ["one", "two"])
        TrackerEvents(db).append("a", 3, ["three"])
        TrackerEvents(db).append("b", 1, ["other"])
    with reading(engine) as db:
        assert TrackerEvents(db).read("a") == ["one", "two", "three"]
        assert TrackerEvents(db).read("a", after_seq=2) == ["three"]
        assert TrackerEvents(db).read("nobody") == []
        assert TrackerEvents(db).conversations() == ["a", "b"]


def test_the_second_writer_of_a_number_is_told_and_changes_nothing(engine):
    with writing(engine) as db:
        TrackerEvents(db).append("a", 1, ["first"])
    with writing(engine) as db:
        TrackerEvents(db).append("a", 2, ["second"])
    with pytest.raises(Conflict), writing(engine) as db:  # noqa: PT012
        TrackerEvents(db).append("b", 1, ["kept only if all is kept"])
        with pytest.raises(Conflict):
            TrackerEvents(db).append("a", 2, ["also second"])
        raise Conflict("the writer gives up")
    with reading(engine) as db:
        assert TrackerEvents(db).read("a") == ["first", "second"]
        assert TrackerEvents(db).read("b") == []


def test_deleted_events_are_gone_and_numbering_starts_again(engine):
    with writing(engine) as db:
        TrackerEvents(db).append("a", 1, ["one"])
        TrackerEvents(db).delete("a")
        TrackerEvents(db).append("a", 1, ["anew"])
    with reading(engine) as db:
        assert TrackerEvents(db).read("a") == ["anew"]


def test_nothing_to_append_is_no_change(engine):
    with writing(engine) as db:
        TrackerEvents(db).append("a", 1, [])
    with reading(engine) as db:
        assert TrackerEvents(db).read("a") == []


def test_numbers_below_one_are_a_mistake_of_the_caller(engine):
    with pytest.raises(ValueError, match="numbered from 1"), writing(engine) as db:
        TrackerEvents(db).append("a", 0, ["x"])


def test_one_event_can_stand_for_all_before_it(engine):
    with writing(engine) as db:
        TrackerEvents(db).append("a", 1, ["one", "two"])
        TrackerEvents(db).replace("a", 2, "both")
    with reading(engine) as db:
        assert TrackerEvents(db).read("a") == ["both"]
    with pytest.raises(Conflict), writing(engine) as db:
        TrackerEvents(db).append("a", 3, ["written by somebody who has not seen it"])


def test_the_newest_event_is_known_by_whoever_wrote_it(engine):
    with writing(engine) as db:
        TrackerEvents(db).append("a", 1, ["one"])
        mine = (2, TrackerEvents(db).append("a", 2, ["two"]))
    with writing(engine) as db:
        assert TrackerEvents(db).newest("a") == mine
        TrackerEvents(db).delete("a")
        assert TrackerEvents(db).newest("a") is None
        TrackerEvents(db).append("a", 1, ["one"])
        TrackerEvents(db).append("a", 2, ["two"])
        assert TrackerEvents(db).newest("a") != mine
