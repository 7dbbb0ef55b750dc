"""The worker as a process: `python -m bot.worker`, and under the supervisor."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
import yaml

from bot.clinic.profile import load_clinic
from bot.handoff.desk import HandoffDesk
from bot.handoff.records import HandoffRecord
from bot.notify.notice import Notice
from bot.settings import ROOT, Settings
from bot.store import migrate, open_store, reading, writing
from bot.store.outbox import Outbox
from bot.worker.run import UNUSABLE
from tests.gateway.installation import PATIENCE, Installation

WORKER = "bot.worker"


@pytest.fixture
def house(tmp_path, monkeypatch):
    """An installation whose one clinic tells one address; no digest, whatever the hour is."""
    profile = yaml.safe_load((ROOT / "clinics" / "greater_boston.yml").read_text("utf-8"))
    profile["notifications"] |= {"coordinators": ["intake@clinic.example"], "digest": False}
    clinics = tmp_path / "clinics"
    clinics.mkdir()
    (clinics / "greater_boston.yml").write_text(
        yaml.safe_dump(profile, allow_unicode=True), encoding="utf-8"
    )
    monkeypatch.setenv("HANDRAIL_CLINICS", str(clinics))
    monkeypatch.delenv("HANDRAIL_SMTP", raising=False)
    monkeypatch.setenv("HANDRAIL_PUBLIC_URL", "https://chat.clinic.example")
    installation = Installation(tmp_path / "data")
    yield installation
    installation.stop()


def record_danger(house: Installation, clinics: Path, number: int = 1) -> str:
    engine = open_store(Settings.from_environment({"HANDRAIL_DATA": str(house.data)}))
    migrate(engine)
    clinic = load_clinic(clinics / "greater_boston.yml")
    record = HandoffRecord(
        conversation=f"greater_boston.{number}",
        clinic="greater_boston",
        channel="web",
        kind="crisis",
        language="en",
        tier="crisis_self",
        name="Zanzibar Quartz",
    )
    now = datetime.now(timezone.utc)
    reference = HandoffDesk(engine, {clinic.id: clinic}).record(record, now).reference
    engine.dispose()
    return reference


def log_lines(house: Installation) -> list[dict]:
    return [
        json.loads(line)
        for line in (house.data / "stderr").read_text().splitlines()
        if line.startswith("{")
    ]


def test_a_worker_sends_what_waits_and_stops_cleanly(house, mail_house, tmp_path, monkeypatch):
    code = record_danger(house, tmp_path / "clinics")
    monkeypatch.setenv("HANDRAIL_SMTP", mail_house.url)
    worker = house.start("-m", WORKER)
    house.until(lambda: mail_house.came)
    [message] = mail_house.messages
    assert message["Subject"] == f"[Greater Boston] New urgent request {code}"
    assert "https://chat.clinic.example/console" in message.get_content()
    house.until(
        lambda: [
            line["process"] for line in log_lines(house) if line["event"] == "notice delivered"
        ]
    )
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(PATIENCE) == 0
    logged = (house.data / "stderr").read_text()
    assert "Zanzibar" not in logged
    assert "Traceback" not in logged


def test_a_worker_killed_while_it_sends_loses_nothing_and_doubles_one_at_most(
    house, mail_house, tmp_path, monkeypatch
):
    codes = [record_danger(house, tmp_path / "clinics", number) for number in range(3)]
    monkeypatch.setenv("HANDRAIL_SMTP", mail_house.url)
    workers = []

    def kill_at_the_second() -> None:
        # The server has all of the e-mail, the worker has no answer yet.
        if len(mail_house.came) == 2:
            workers[0].kill()
            workers[0].wait(PATIENCE)

    mail_house.on_mail = kill_at_the_second
    workers.append(house.start("-m", WORKER))
    house.until(lambda: workers[0].poll() is not None)
    assert workers[0].returncode == -signal.SIGKILL
    assert len(mail_house.came) == 2
    house.start("-m", WORKER)
    engine = open_store(Settings.from_environment({"HANDRAIL_DATA": str(house.data)}))

    def waiting() -> int:
        with reading(engine) as db:
            return len(Outbox(db).undelivered())

    house.until(lambda: waiting() == 0)
    engine.dispose()
    ids = [message["Message-ID"] for message in mail_house.messages]
    assert (len(ids), len(set(ids))) == (4, 3)
    assert ids[1] == ids[2]
    assert mail_house.came[1] == mail_house.came[2]
    subjects = {message["Subject"] for message in mail_house.messages}
    assert subjects == {f"[Greater Boston] New urgent request {code}" for code in codes}


def test_without_a_mail_server_it_says_so_once_and_keeps_everything(house, tmp_path):
    record_danger(house, tmp_path / "clinics")
    worker = house.start("-m", WORKER)
    engine = open_store(Settings.from_environment({"HANDRAIL_DATA": str(house.data)}))

    def reason() -> str | None:
        with reading(engine) as db:
            [kept] = Outbox(db).undelivered()
        return kept.last_error

    house.until(reason)
    assert reason() == "HANDRAIL_SMTP is not set, so no e-mail can be sent"
    worker.terminate()
    assert worker.wait(PATIENCE) == 0
    engine.dispose()
    [line] = log_lines(house)
    assert (line["event"], line["level"], line["waiting"]) == ("notices", "error", 1)
    assert line["cannot_be_sent"] == ["HANDRAIL_SMTP is not set, so no e-mail can be sent"]


def test_it_deletes_what_has_been_kept_long_enough(house):
    settings = Settings.from_environment({"HANDRAIL_DATA": str(house.data)})
    engine = open_store(settings)
    migrate(engine)
    old = datetime.now(timezone.utc) - timedelta(days=31)
    notice = Notice(
        *("key", "new", "greater_boston", "K7M-4QX", "email", "a@b.example"),
        payload={},
        rank=1,
        created=old,
    )
    with writing(engine) as db:
        Outbox(db).add([notice])
        [stored] = Outbox(db).undelivered()
        Outbox(db).delivered(stored.id, old)
    house.start("-m", WORKER)

    def gone() -> bool:
        with reading(engine) as db:
            return Outbox(db).find(stored.id) is None

    house.until(gone)
    engine.dispose()


def test_settings_that_cannot_be_used_are_named(house):
    finished = subprocess.run(
        [sys.executable, "-m", WORKER],
        cwd=ROOT,
        env={**os.environ, "HANDRAIL_PUBLIC_URL": "chat.clinic.example"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert finished.returncode == UNUSABLE
    assert "HANDRAIL_PUBLIC_URL" in finished.stderr
    assert "Traceback" not in finished.stderr


def test_the_supervisor_starts_it_again_and_stops_it(house):
    supervisor = house.serve()
    house.until(lambda: house.child(WORKER))
    house.kill(WORKER)
    house.read_until(supervisor, "worker ended (SIGKILL)")
    house.until(lambda: house.child(WORKER))
    supervisor.terminate()
    assert supervisor.wait(PATIENCE) == 0
    assert house.child(WORKER) is None


def test_a_killed_supervisor_takes_it_along(house):
    house.serve().kill()
    house.until(lambda: house.child(WORKER) is None)
