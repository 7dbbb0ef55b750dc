"""docs/clinic-admins.md is true: its examples load, its topics and messages are real."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.clinic.check import problems
from bot.clinic.hours import check_rule
from bot.clinic.profile import load_clinic
from bot.clinic.topics import load_topics
from bot.settings import ROOT

GUIDE = (ROOT / "docs" / "clinic-admins.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", GUIDE, re.DOTALL)


def block(start: str) -> str:
    """The guide's example that begins with `start`."""
    [found] = [text for _kind, text in BLOCKS if text.startswith(start)]
    return found


def test_every_topic_stands_in_the_guide_with_its_labels():
    for topic, label in load_topics().labels.items():
        assert f"| `{topic}` | {label.en} | {label.es} |\n" in GUIDE


def test_the_added_entry_of_the_guide_loads_without_a_mistake(spoiled):
    folder = spoiled(
        ("extra_faq: []", block("extra_faq:")),
        ("example: true", "example: false"),
        ("coordinators: []", "coordinators: [intake@example.org]"),
        ("supervisors: []", "supervisors: [lead@example.org]"),
    )
    clinic = load_clinic(folder / "greater_boston.yml")
    assert "free lot" in clinic.answer("parking", language="en", channel="web").text
    assert problems(folder) == []


@pytest.mark.parametrize("start", ["phone:", "time_zone:", "  - topic: telehealth"])
def test_examples_of_the_profile_stand_in_the_profile(start: str):
    profile = (ROOT / "clinics" / "greater_boston.yml").read_text(encoding="utf-8")
    without_comments = re.sub(r"^ *#.*\n", "", profile, flags=re.MULTILINE)
    for part in block(start).strip().split("\n\n"):
        assert part in without_comments


def test_the_exceptions_of_the_guide_load(spoiled):
    folder = spoiled(("  exceptions: []", block("  exceptions:")))
    clinic = load_clinic(folder / "greater_boston.yml")
    assert [exception.hours for exception in clinic.hours.exceptions] == ["off", "08:30-13:00"]
    assert [problem for problem in problems(folder) if not problem.warning] == []


def test_the_website_of_the_guide_loads(spoiled):
    shipped = "website:\n  # Sites"
    folder = spoiled((shipped, f"{block('website:')}old:\n  # Sites"))
    path = folder / "greater_boston.yml"
    text = path.read_text(encoding="utf-8")
    start, end = text.index("old:\n"), text.index("# Ends every answer")
    path.write_text(text[:start] + text[end:], encoding="utf-8")
    clinic = load_clinic(path)
    assert clinic.website.origins == ("https://www.clinic.example", "https://clinic.example")
    assert [problem for problem in problems(folder) if not problem.warning] == []


def test_the_rules_of_the_guide_can_be_read():
    table = GUIDE.split("| you want | rule |")[1].split("\n\n")[0]
    rules = re.findall(r"\| `([^`]+)` \|", table)
    assert len(rules) == 6
    for rule in rules:
        check_rule(rule)


def test_the_targets_of_the_guide_load(spoiled):
    profile = (ROOT / "clinics" / "greater_boston.yml").read_text(encoding="utf-8")
    [shipped] = re.findall(r"^notifications:\n(?:  .*\n)+", profile, re.MULTILINE)
    folder = spoiled((shipped, block("notifications:")))
    clinic = load_clinic(folder / "greater_boston.yml")
    assert clinic.notifications.webhook is not None
    assert not any("told" in problem.message for problem in problems(folder))


def test_what_check_says_is_what_it_says(spoiled, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    folder = spoiled(
        ("time_zone: America/New_York", "time_zone: America/Boston"),
        ("display: 888-278-0716", "display: 888-278-0761"),
        ("rule: Mo-Fr 08:30-18:00; PH off", "rule: Mo-Fr 08:30-18:0; PH off"),
        ("follow_up: [what_is_inpatient, dual", "follow_up: [hospital, dual"),
        ('"Our material does not say if there are online or', '"We don\u2019t know.'),
    )
    without_lines = re.compile(r"^.*?\.yml:\d+: ", re.MULTILINE)
    said = "".join(f"{problem}\n" for problem in problems(folder))
    assert without_lines.sub("", said) == without_lines.sub("", block("clinics/greater"))
