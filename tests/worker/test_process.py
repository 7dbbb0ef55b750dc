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
    """An installation whose one clinic tells one address."""
    profile = yaml.safe_load((ROOT / "clinics" / "greater_boston.yml").read_text("utf-8"))
    profile["notifications"]["coordinators"] = ["intake@clinic.example"]
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


def record_danger(house: Installation, clinics: Path) -> str:
    engine = open_store(Settings.from_environment({"HANDRAIL_DATA": str(house.data)}))
    migrate(engine)
    clinic = load_clinic(clinics / "greater_boston.yml")
    record = HandoffRecord(
        conversation="greater_boston.1",
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
