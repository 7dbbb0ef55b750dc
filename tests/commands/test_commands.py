"""The command contracts: JSON lines in, one JSON line out for each, in order."""

from __future__ import annotations

import io
import json
import subprocess
import sys

import pytest

from bot.cli import main
from bot.commands.jsonlines import LineError, answer_lines, read_time
from bot.settings import ROOT, Settings


def run(*arguments: str, lines: list[object] | str = "") -> subprocess.CompletedProcess[str]:
    text = lines if isinstance(lines, str) else "".join(json.dumps(line) + "\n" for line in lines)
    return subprocess.run(
        [sys.executable, "-m", "bot.cli", *arguments],
        input=text,
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=120,
        check=False,
    )


def answers(done: subprocess.CompletedProcess[str]) -> list[dict]:
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_each_line_is_answered_in_order_and_a_bad_one_does_not_stop_the_rest():
    out = io.StringIO()
    lines = io.StringIO('{"n": 1}\nnot json\n[1]\n\n{"n": 2, "id": "x"}\n')

    def double(given):
        if given["n"] > 1:
            raise LineError("too large")
        return {"double": 2 * given["n"]}

    answer_lines(double, lines, out)
    first, second, third, fourth, fifth = map(json.loads, out.getvalue().splitlines())
    assert first == {"n": 1, "double": 2}
    assert "not valid JSON" in second["error"]
    assert "object" in third["error"]
    assert "error" in fourth
    assert fifth == {"n": 2, "id": "x", "error": "too large"}


@pytest.mark.parametrize("value", ["tomorrow", "2026-11-26", "2026-11-26T20:00:00", 7, None])
def test_a_time_without_a_zone_is_refused(value):
    with pytest.raises(LineError):
        read_time(value)


def test_screen_says_tier_categories_and_evidence(settings):
    text = "hello. I want to kill myself"
    done = run("screen", lines=[{"text": text, "id": 1}, {"text": "is it raining"}, {"text": 3}])
    danger, plain, wrong = answers(done)
    assert danger["tier"] == "crisis_self"
    assert danger["id"] == 1
    parts = [text[e["start"] : e["end"]] for e in danger["evidence"]]
    assert any("kill" in part for part in parts)
    assert (plain["tier"], plain["categories"], plain["evidence"]) == ("none", [], [])
    assert "error" in wrong


def test_triage_gives_the_level_with_its_reasons():
    done = run(
        "triage",
        lines=[
            {"safety_now": "now"},
            {"symptom_severity": "severe", "daily_functioning": "unable"},
            {"symptom_severity": "terrible"},
        ],
    )
    crisis, unsure, wrong = answers(done)
    assert crisis["level"] == "crisis_assessment"
    assert {"rule", "why", "source"} == set(crisis["reasons"][0])
    assert (unsure["level"], unsure["at_least"]) == ("consultation", "php")
    assert "safety_now" in unsure["unknown"]
    assert crisis["rules_version"] == unsure["rules_version"]
    assert "symptom_severity" in wrong["error"]


def test_parse_and_converse_run_the_trained_assistant(settings):
    parsed, danger = answers(
        run("parse", lines=[{"text": "can i keep my job during iop?"}, {"text": "I want to die"}])
    )
    assert parsed["intent"] == "faq_work_school"
    assert len(parsed["ranking"]) == 3
    assert danger["intent"] == "safety_crisis_self"

    done = run(
        "converse",
        "--clinic=greater_boston",
        "--channel=web",
        "--now=2026-11-26T20:00:00-05:00",
        lines=[
            {"user": "I want to talk to a person"},
            {"button": "No such button"},
            {"button": "No"},
            {"now": "2026-11-27T09:00:00-05:00", "user": "can I talk to someone now?"},
            {"nothing": True},
        ],
    )
    closed, no_button, declined, opened, wrong = answers(done)
    assert "8:30 AM Eastern" in closed["bot"][0]["text"]
    assert closed["bot"][0]["buttons"] == ["Yes", "No"]
    assert closed["state"]["open_question"] == "consent"
    assert "No such button" in no_button["error"]
    assert declined["state"]["open_question"] is None
    assert opened["state"]["handoff"] == "phone"
    assert opened["state"]["reference"] == closed["state"]["reference"]
    assert "error" in wrong
    assert set(closed["state"]) == {
        "tier",
        "level",
        "handoff",
        "open_question",
        "language",
        "reference",
    }


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["no-such-command"],
        ["converse", "--clinic=nowhere", "--channel=web", "--now=2026-11-26T20:00:00-05:00"],
        ["converse", "--clinic=greater_boston", "--channel=fax", "--now=2026-11-26T20:00:00-05:00"],
        ["converse", "--clinic=greater_boston", "--channel=web", "--now=yesterday"],
        ["triage", "--clinic=nowhere"],
        ["eval", "safety", "--data=/no/such/folder"],
    ],
)
def test_unusable_arguments_end_with_2_and_say_why(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "handrail" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["screen"], ["eval", "safety", "--data=."]])
def test_without_the_trained_screen_the_command_that_makes_it_is_named(
    arguments, capsys, monkeypatch, tmp_path
):
    monkeypatch.setenv("HANDRAIL_MODEL", str(tmp_path / "handrail.tar.gz"))
    with pytest.raises(SystemExit):
        main(arguments)
    assert "`handrail train` makes it" in capsys.readouterr().err


def test_a_setting_that_is_empty_counts_as_not_set():
    names = ("DATA", "CLINICS", "MODEL", "DATABASE", "HOST", "PORT", "SMTP", "PUBLIC_URL")
    empty = {f"HANDRAIL_{name}": "" for name in names}
    assert Settings.from_environment(empty) == Settings.from_environment({})


def test_a_number_for_texts_without_the_account_is_warned_of(capsys, monkeypatch, tmp_path):
    profile = tmp_path / "greater_boston.yml"
    shipped = (ROOT / "clinics/greater_boston.yml").read_text()
    profile.write_text(f'{shipped}\nsms:\n  number: "+18335550100"\n')
    monkeypatch.setenv("HANDRAIL_CLINICS", str(tmp_path))
    assert main(["check"]) == 0
    assert "HANDRAIL_TWILIO_ACCOUNT" in capsys.readouterr().err


def test_a_retention_policy_that_cannot_be_read_is_a_mistake(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("HANDRAIL_RETENTION", str(tmp_path / "retention.yml"))
    assert main(["check"]) == 1
    assert "retention.yml:1: cannot be read" in capsys.readouterr().err


def test_check_finds_no_mistake_in_the_projects_own_data(capsys):
    assert main(["check"]) == 0
    assert "0 mistakes" in capsys.readouterr().out
