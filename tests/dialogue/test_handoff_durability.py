"""A request is promised only if it is stored, wherever the work is cut off."""

import dataclasses
from pathlib import Path

import pytest

from bot.brain import house as houses
from bot.commands.assistant import load_assistant
from bot.store import StoreError
from tests.dialogue.test_callback import fill_in
from tests.dialogue.visitor import Visitor

PROMISES = {"callback_done", "callback_updated"}


@pytest.fixture
def desk(assistant, request):
    if request.config.getoption("--beside-rasa"):
        pytest.skip("only one of the two sides that are compared would have the broken desk")
    return assistant.brain.house.desk


def test_a_database_that_fails_at_the_yes_leaves_no_promise_and_loses_no_answer(
    ask, record, desk, monkeypatch
):
    visitor = fill_in(ask("greater_boston").says("call me back"), phone="617-555-1001")

    def fails(*_):
        raise StoreError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(desk, "_write", fails)
        visitor.says("yes").hears("unavailable_open", "888-278-0716", "988")
    assert not PROMISES & set(visitor.responses)
    assert record(visitor) is None
    visitor.says("yes").hears("callback_done")
    assert record(visitor)[1].phone == "+16175551001"


def test_a_crash_behind_the_commit_leaves_the_record_and_the_same_code(
    ask, record, desk, monkeypatch
):
    visitor = fill_in(ask("greater_boston").says("call me back"), phone="617-555-1002")
    stores = desk.record

    def stores_and_dies(*given):
        stores(*given)
        raise RuntimeError("the process dies here")

    with monkeypatch.context() as broken:
        broken.setattr(desk, "record", stores_and_dies)
        visitor.says("yes")
    assert not PROMISES & set(visitor.responses)
    code, found = record(visitor)
    assert found.phone == "+16175551002"
    visitor.says("yes").hears("callback_updated", code)


def test_a_brain_that_was_restarted_in_the_middle_goes_on(ask, assistant, settings, loop, record):
    visitor = fill_in(
        ask("greater_boston").says("call me back"), "ok_to_call", phone="617-555-1003"
    )
    file = Path(assistant.engine.url.database)
    there = dataclasses.replace(settings, data=file.parent, database=f"sqlite:///{file}")
    fresh = loop.run_until_complete(load_assistant(there))
    try:
        resumed = Visitor.__new__(Visitor)
        resumed.__dict__.update(vars(visitor) | {"_assistant": fresh})
        resumed.says("text only").is_asked("confirm").hears("callback_confirm", "Ana").says("yes")
        resumed.hears("callback_done")
        assert record(visitor)[0] == resumed.state.reference
    finally:
        houses.install(assistant.brain.house)
        fresh.engine.dispose()
