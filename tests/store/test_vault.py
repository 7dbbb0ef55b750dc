"""What is encrypted, what binds it to its place, and where the keys come from."""

from __future__ import annotations

import os

import pytest
import sqlalchemy as sa

from bot.store import (
    StoreError,
    TrackerEvents,
    Vault,
    check,
    migrate,
    open_engine,
    reading,
    writing,
)
from bot.store.keyring import Keyring, new_keyring, read_key_file, read_keyring, write_key_file
from bot.store.tables import handoff, metadata, tracker_event
from bot.store.vault import Blind, Sealed
from tests.events import append
from tests.keys import VAULT

EVENT = {"conversation": "a", "seq": 1, "event": "my words"}
KEY = "A" * 43 + "="


def test_a_value_comes_back_and_does_not_show():
    sealed = VAULT.seal(tracker_event, EVENT)
    assert "words" not in sealed["event"]
    assert VAULT.open(tracker_event, sealed) == EVENT


def test_one_value_never_looks_the_same_twice():
    assert VAULT.seal(tracker_event, EVENT) != VAULT.seal(tracker_event, EVENT)


@pytest.mark.parametrize("moved", [{"conversation": "b"}, {"seq": 2}])
def test_a_value_moved_to_another_row_is_refused(moved):
    sealed = VAULT.seal(tracker_event, EVENT)
    with pytest.raises(StoreError, match="cannot be decrypted"):
        VAULT.open(tracker_event, {**sealed, **moved})


def test_a_value_moved_to_another_column_is_refused():
    row = {"reference": "K7M-4QX", "clinic": "c", "name": "Ana", "best_time": "noon"}
    sealed = VAULT.seal(handoff, row)
    with pytest.raises(StoreError, match="cannot be decrypted"):
        VAULT.open(handoff, {**sealed, "name": sealed["best_time"]})


def test_an_altered_value_is_refused():
    sealed = VAULT.seal(tracker_event, EVENT)["event"]
    altered = sealed[:-8] + ("A" if sealed[-8] != "A" else "B") + sealed[-7:]
    with pytest.raises(StoreError, match="cannot be decrypted"):
        VAULT.open(tracker_event, {**EVENT, "event": altered})


@pytest.mark.parametrize("stored", ["", "my words", "k1.", "....", "é.é"])
def test_what_was_never_encrypted_is_refused(stored):
    with pytest.raises(StoreError, match="key"):
        VAULT.open(tracker_event, {**EVENT, "event": stored})


def test_a_plain_value_cannot_be_written_by_mistake(engine):
    with pytest.raises(StoreError), writing(engine) as db:
        db.execute(sa.insert(tracker_event).values(EVENT))


def test_every_column_that_a_visitor_fills_is_encrypted():
    protected = {
        f"{table.name}.{column.name}"
        for table in metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, (Sealed, Blind))
    }
    assert protected >= {
        "message.text",
        "button.label",
        "button.entities",
        "tracker_event.event",
        *(
            f"handoff.{name}"
            for name in ("answers", "name", "phone", "phone_hash", "best_time", "consent")
        ),
    }


def test_a_number_is_found_by_its_hash_under_any_key_and_only_in_its_clinic():
    old = new_keyring()
    before, now = Vault(old), Vault(old.with_new_key())
    column = handoff.c.phone_hash
    stored = before.blind(column, "+16175550142", "boston")
    assert stored in now.blinds(column, "+16175550142", "boston")
    assert stored not in now.blinds(column, "+16175550142", "georgia")
    assert stored not in now.blinds(column, "+16175550143", "boston")
    assert now.blind(column, "+16175550142", "boston") != stored


def test_a_new_key_encrypts_and_the_old_one_still_reads():
    old = new_keyring()
    sealed = Vault(old).seal(tracker_event, EVENT)
    both = Vault(old.with_new_key())
    assert both.open(tracker_event, sealed) == EVENT
    with pytest.raises(StoreError, match="add that key again"):
        Vault(old).open(tracker_event, both.seal(tracker_event, EVENT))


# --- where keys come from -----------------------------------------------------------------


def test_keys_are_read_as_they_are_written():
    ring = new_keyring().with_new_key()
    for separator in (",", "\n", ", "):
        assert read_keyring(ring.written(separator), "here") == ring


def test_the_first_key_is_active():
    ring = read_keyring(f"new:{KEY},old:{'B' * 43}=", "here")
    assert (ring.active, list(ring.keys)) == ("new", ["new", "old"])


@pytest.mark.parametrize(
    "written",
    ["", " ", "x", f":{KEY}", f"a b:{KEY}", "a:", "a:AAAA", f"a:{KEY},", f"ä:{KEY}", f"a:{KEY}é"],
)
def test_a_broken_key_is_refused_and_never_shown(written):
    with pytest.raises(StoreError, match="32 bytes in base64") as raised:
        Vault.of_settings(written, None)
    assert KEY not in str(raised.value)


def test_two_keys_with_one_id_are_refused():
    with pytest.raises(StoreError, match="two keys"):
        read_keyring(f"a:{KEY},a:{KEY}", "here")


def test_keys_are_not_shown_by_accident():
    ring = Keyring("a", {"a": b"0123456789abcdef0123456789abcdef"})
    assert "0123" not in repr(ring)


def test_a_key_file_is_for_its_owner_alone(tmp_path):
    write_key_file(tmp_path / "data" / "keys", new_keyring())
    assert (tmp_path / "data" / "keys").stat().st_mode & 0o777 == 0o600
    assert [file.name for file in (tmp_path / "data").iterdir()] == ["keys"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_key_file_that_others_may_touch_is_refused_with_the_fix(tmp_path, mode):
    write_key_file(tmp_path / "keys", new_keyring())
    (tmp_path / "keys").chmod(mode)
    with pytest.raises(StoreError, match="chmod 600"):
        read_key_file(tmp_path / "keys")


@pytest.mark.parametrize("content", [b"", b"half a k", b"\xff\x00\xfe"])
def test_a_broken_key_file_is_refused_with_the_fix(tmp_path, content):
    (tmp_path / "keys").write_bytes(content)
    (tmp_path / "keys").chmod(0o600)
    with pytest.raises(StoreError, match="restore it from your backup"):
        read_key_file(tmp_path / "keys")


def test_the_first_start_makes_a_key_and_the_next_uses_it(empty_database, tmp_path):
    migrate(open_engine(empty_database, Vault(None, tmp_path / "keys")))
    first = (tmp_path / "keys").read_bytes()
    with writing(open_engine(empty_database, Vault(None, tmp_path / "keys"))) as db:
        append(db, "a", 1, ["x"])
    again = open_engine(empty_database, Vault(None, tmp_path / "keys"))
    migrate(again)
    assert (tmp_path / "keys").read_bytes() == first
    with reading(again) as db:
        assert TrackerEvents(db).read("a") == ["x"]


def test_no_new_key_is_made_for_a_database_that_has_one(empty_database, tmp_path):
    migrate(open_engine(empty_database, Vault(None, tmp_path / "keys")))
    (tmp_path / "keys").unlink()
    with pytest.raises(StoreError, match="restore it from your backup"):
        migrate(open_engine(empty_database, Vault(None, tmp_path / "keys")))
    assert not (tmp_path / "keys").exists()


def test_keys_of_another_database_are_noticed_at_the_start(engine):
    other = open_engine(engine.url.render_as_string(hide_password=False), Vault(new_keyring()))
    for start in (migrate, check):
        with pytest.raises(StoreError, match="not in HANDRAIL_KEYS"):
            start(other)


def test_another_key_under_the_same_id_is_noticed_at_the_start(engine):
    ring = VAULT.keyring
    assert ring is not None
    wrong = Keyring(ring.active, {ring.active: os.urandom(32)})
    other = open_engine(engine.url.render_as_string(hide_password=False), Vault(wrong))
    with pytest.raises(StoreError, match="cannot be decrypted"):
        migrate(other)


def test_a_running_process_follows_a_changed_key_file_and_outlives_a_lost_one(tmp_path):
    file = tmp_path / "keys"
    old = new_keyring()
    write_key_file(file, old)
    vault = Vault(None, file)
    sealed = vault.seal(tracker_event, EVENT)
    write_key_file(file, old.with_new_key())
    assert vault.keyring != old
    assert vault.open(tracker_event, sealed) == EVENT
    file.unlink()
    assert vault.open(tracker_event, sealed) == EVENT
