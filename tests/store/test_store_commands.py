"""`handrail keys`, `audit verify` and `purge`, as an operator runs them."""

from __future__ import annotations

import pytest

from bot.cli import main
from bot.settings import Settings
from bot.store import migrate, open_store, reading, writing
from bot.store.keyring import new_keyring, read_key_file
from bot.store.rotate import rows_by_key
from tests.store.filled import NOON, days, request, talk


@pytest.fixture
def engine(tmp_path, monkeypatch):
    """An installation as `handrail serve` leaves it, named by the environment."""
    monkeypatch.setenv("HANDRAIL_DATA", str(tmp_path))
    monkeypatch.delenv("HANDRAIL_KEYS", raising=False)
    monkeypatch.delenv("HANDRAIL_DATABASE", raising=False)
    engine = open_store(Settings.from_environment())
    migrate(engine)
    talk(engine, "a", NOON - days(400))
    yield engine
    engine.dispose()


def test_keys_are_listed_by_id_and_never_shown(engine, tmp_path, capsys):
    ring = read_key_file(tmp_path / "keys")
    assert main(["keys", "list"]) == 0
    shown = capsys.readouterr().out
    assert f"{ring.active}: active, 5 values" in shown
    assert ring.written() not in shown


def test_a_rotation_leaves_everything_with_a_new_key(engine, tmp_path, capsys):
    before = read_key_file(tmp_path / "keys").active
    assert main(["keys", "rotate"]) == 0
    after = read_key_file(tmp_path / "keys")
    assert list(after.keys)[1] == before
    with reading(engine) as db:
        assert set(rows_by_key(db)) == {after.active}
    assert "Back up the keys now" in capsys.readouterr().out
    assert main(["keys", "list"]) == 0
    assert f"{before}: reads only, 0 values, may be removed" in capsys.readouterr().out


def test_with_keys_in_the_environment_it_says_what_to_do_step_by_step(
    tmp_path, monkeypatch, capsys
):
    ring = new_keyring()
    monkeypatch.setenv("HANDRAIL_DATA", str(tmp_path))
    monkeypatch.setenv("HANDRAIL_KEYS", ring.written())
    migrate(open_store(Settings.from_environment()))
    talk(open_store(Settings.from_environment()), "a")
    assert main(["keys", "rotate"]) == 0
    said = capsys.readouterr().out
    new_value = next(line.strip() for line in said.splitlines() if ring.active in line)
    monkeypatch.setenv("HANDRAIL_KEYS", new_value)
    assert main(["keys", "rotate"]) == 1  # serve has not been restarted yet
    assert "Restart `handrail serve`" in capsys.readouterr().out
    migrate(open_store(Settings.from_environment()))  # what a restart does
    assert main(["keys", "rotate"]) == 0
    assert "4 rows encrypted anew" in capsys.readouterr().out
    assert not (tmp_path / "keys").exists()


def test_the_audit_is_verified_and_a_break_is_told_with_its_place(engine, capsys):
    assert main(["keys", "rotate"]) == 0
    assert main(["purge"]) == 0
    capsys.readouterr()
    assert main(["audit", "verify"]) == 0
    assert "2 entries, unbroken" in capsys.readouterr().out
    with writing(engine) as db:
        db.exec_driver_sql("DROP TRIGGER audit_no_UPDATE")
        db.exec_driver_sql("UPDATE audit SET actor = 'eve' WHERE seq = 2")
    assert main(["audit", "verify"]) == 1
    assert "broken at entry 2 of 2" in capsys.readouterr().err


def test_a_purge_says_first_what_it_would_delete(engine, capsys):
    request(engine, "b")
    assert main(["purge", "--dry-run"]) == 0
    assert "abandoned_chat: 1 would be deleted" in capsys.readouterr().out
    assert main(["purge"]) == 0
    assert "abandoned_chat: 1 deleted" in capsys.readouterr().out
    assert main(["purge"]) == 0
    assert "abandoned_chat: 0 deleted" in capsys.readouterr().out


def test_a_missing_key_file_is_an_error_with_the_fix(engine, tmp_path, capsys):
    (tmp_path / "keys").unlink()
    for command in (["keys", "list"], ["keys", "rotate"], ["audit", "verify"], ["purge"]):
        assert main(command) == 1
        assert "restore it from your backup" in capsys.readouterr().err


@pytest.mark.parametrize("folder", ["/proc/nowhere", __file__])
def test_a_data_folder_that_cannot_be_made_is_an_error_with_the_fix(folder, monkeypatch, capsys):
    monkeypatch.setenv("HANDRAIL_DATA", folder)
    monkeypatch.delenv("HANDRAIL_KEYS", raising=False)
    monkeypatch.delenv("HANDRAIL_DATABASE", raising=False)
    for command in (["user", "list"], ["audit", "verify"], ["outbox"]):
        assert main(command) == 1
        assert "HANDRAIL_DATA" in capsys.readouterr().err
