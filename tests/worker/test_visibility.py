"""What is not delivered is seen: `handrail outbox`, `handrail check`, `/readyz`."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.cli import main
from bot.settings import Settings
from bot.store import migrate, open_store, writing
from bot.store.outbox import Outbox
from bot.worker.readiness import not_ready
from tests.worker.conftest import NOON, SECRET, danger, put, told

MAIL = "smtps://mail.example.org?from=a@b.example"


@pytest.fixture
def kept(tmp_path, monkeypatch, clinic):
    """An installation with one waiting and one dead notice; the dead one's id."""
    monkeypatch.setenv("HANDRAIL_DATA", str(tmp_path))
    engine = open_store(Settings.from_environment({"HANDRAIL_DATA": str(tmp_path)}))
    migrate(engine)
    put(engine, clinic, danger(1), danger(2, NOON + timedelta(minutes=1)))
    with writing(engine) as db:
        [first, _] = Outbox(db).take("one", NOON, 2)
        Outbox(db).give_up(first.id, "the mail server refused the e-mail (SMTP 550)", NOON)
    engine.dispose()
    return first.id


def test_the_outbox_is_shown_and_a_dead_notice_can_be_tried_again(kept, capsys):
    assert main(["outbox"]) == 0
    shown = capsys.readouterr()
    assert len(shown.out.splitlines()) == 2
    assert shown.err == "1 waiting, 1 dead\n"
    assert main(["outbox", "--dead"]) == 0
    [line] = capsys.readouterr().out.splitlines()
    assert line.startswith(f"{kept}  dead  2026-11-18T17:00:00+00:00  greater_boston  new  email")
    assert line.endswith("1 attempts  the mail server refused the e-mail (SMTP 550)")
    assert main(["outbox", "retry", kept]) == 0
    capsys.readouterr()
    main(["outbox", "--dead"])
    assert capsys.readouterr().err == "0 waiting, 0 dead\n"


def test_an_unknown_notice_cannot_be_tried_again(kept, capsys):
    assert main(["outbox", "retry", "nothing"]) == 1
    assert "there is no undelivered notice 'nothing'" in capsys.readouterr().err


def test_settings_that_targets_need_are_named_once(shipped):
    hook = {"url": "https://hooks.example/in", "secret_from": "HOOK_SECRET"}
    one = told(shipped, coordinators=["a@b.example"], webhook=hook)
    other = told(shipped, supervisors=["c@b.example"])
    assert not_ready({"one": one, "other": other}, None, {}) == [
        "HANDRAIL_SMTP is not set, so no e-mail can be sent",
        "HOOK_SECRET, the secret of a webhook, is not set",
    ]
    assert not_ready({"one": one, "other": other}, MAIL, {"HOOK_SECRET": SECRET}) == []


def test_a_mail_server_that_cannot_be_read_is_told_before_anybody_needs_it(shipped):
    [reason] = not_ready({"shipped": shipped}, "mail.example.org", {})
    assert "HANDRAIL_SMTP must look like" in reason


def test_clinics_that_tell_nobody_need_nothing(shipped):
    assert not_ready({"shipped": shipped}, None, {}) == []
