"""A new key for everything, while the assistant goes on serving."""

from __future__ import annotations

import threading

import pytest

from bot.store import (
    Audit,
    Buttons,
    Messages,
    StoreError,
    TrackerEvents,
    Vault,
    migrate,
    open_engine,
    reading,
    writing,
)
from bot.store.audit import verify
from bot.store.handoffs import Handoffs
from bot.store.keyring import new_keyring, read_key_file, write_key_file
from bot.store.keys_in_use import used
from bot.store.rotate import is_finished, rotate, rows_by_key
from tests.events import append
from tests.store.filled import NOON, SENTENCE, request, talk


@pytest.fixture
def key_file(tmp_path):
    return tmp_path / "keys"


@pytest.fixture
def serving(empty_database, key_file):
    """A store as a running process has it, and with rows of an old key in it."""
    engine = open_engine(empty_database, Vault(None, key_file))
    migrate(engine)
    talk(engine, "a", messages=3)
    request(engine, "a")
    with writing(engine) as db:
        Audit(db).add(actor="ana", action="x", at=NOON)
    yield engine
    engine.dispose()


def new_key(key_file) -> str:
    """Put a new key into the file; its id."""
    old = read_key_file(key_file)
    assert old is not None
    both = old.with_new_key()
    write_key_file(key_file, both)
    return both.active


def test_everything_is_encrypted_with_the_new_key_alone(serving, empty_database, key_file):
    new = new_key(key_file)
    assert rotate(serving, NOON, say=lambda _: None) == 3 + 3 + 6 + 1
    with reading(serving) as db:
        assert is_finished(db)
        assert used(db) == [new]
        assert set(rows_by_key(db)) == {new}
        assert verify(db) is None
    ring = read_key_file(key_file)
    only_new = Vault(type(ring)(new, {new: ring.keys[new]}))
    engine = open_engine(empty_database, only_new)
    migrate(engine)
    with reading(engine) as db:
        assert Messages(db).after("a")[0].text == SENTENCE
        assert TrackerEvents(db).read("a") == [SENTENCE] * 3
        assert Buttons(db).open("a")[0].button.label == "Yes"
        found = Handoffs(db).of_person("greater_boston", "+16175550142", NOON.date())
        assert found is not None
        assert found[1].name == "Zebedee"
    engine.dispose()


def test_an_interrupted_rotation_goes_on_where_it_was(serving, key_file, monkeypatch):
    monkeypatch.setattr("bot.store.rotate.BATCH", 2)
    new = new_key(key_file)

    def stop(_: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rotate(serving, NOON, say=stop)
    with reading(serving) as db:
        assert not is_finished(db)
        assert len(rows_by_key(db)) == 2
        assert TrackerEvents(db).read("a") == [SENTENCE] * 3
    assert rotate(serving, NOON, say=lambda _: None) == 13 - 1  # the first batch
    with reading(serving) as db:
        assert set(rows_by_key(db)) == {new}


def test_what_is_written_meanwhile_is_neither_lost_nor_left_behind(serving, key_file):
    said = threading.Event()
    stop = threading.Event()
    written: list[int] = []

    def keep_talking() -> None:
        while not stop.is_set() or len(written) < 5:
            with writing(serving) as db:
                append(db, "b", len(written) + 1, [SENTENCE])
            written.append(1)
            said.set()

    writer = threading.Thread(target=keep_talking)
    writer.start()
    said.wait(30)
    new = new_key(key_file)
    rotate(serving, NOON, say=lambda _: None)
    stop.set()
    writer.join(60)
    with reading(serving) as db:
        assert TrackerEvents(db).read("b") == [SENTENCE] * len(written)
        assert set(rows_by_key(db)) == {new}


def test_an_audit_that_was_tampered_with_is_not_signed_anew(serving, key_file):
    with writing(serving) as db:
        db.exec_driver_sql("UPDATE audit_head SET seq = 0")
    new_key(key_file)
    with pytest.raises(StoreError, match="audit verify"):
        rotate(serving, NOON, say=lambda _: None)


def test_keys_of_the_environment_work_the_same(empty_database):
    old = new_keyring()
    engine = open_engine(empty_database, Vault(old))
    migrate(engine)
    talk(engine, "a")
    both = open_engine(empty_database, Vault(old.with_new_key()))
    migrate(both)
    rotate(both, NOON, say=lambda _: None)
    with reading(both) as db:
        assert is_finished(db)
