"""`handrail check`: what an admin is told, and on which line."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.clinic.check import problems
from bot.settings import ROOT


def line_of(folder: Path, text: str) -> int:
    content = (folder / "greater_boston.yml").read_text(encoding="utf-8")
    return content[: content.index(text)].count("\n") + 1


def mistakes(folder: Path) -> list[tuple[int, str]]:
    return [(problem.line, problem.message) for problem in problems(folder) if not problem.warning]


def test_the_shipped_profiles_have_no_mistakes():
    assert mistakes(ROOT / "clinics") == []


@pytest.mark.parametrize(
    "message", ["these hours are an example", "nobody is told of new and urgent requests"]
)
def test_what_the_clinics_have_not_filled_in_yet_is_a_warning_in_both(message: str):
    warnings = [problem for problem in problems(ROOT / "clinics") if problem.warning]
    assert [problem.path.name for problem in warnings if message in problem.message] == [
        "greater_boston.yml",
        "time_wellness_georgia.yml",
    ]


SOMEBODY = ("coordinators: []", "coordinators: [intake@example.org]")
SUPERVISED = ("supervisors: []", "supervisors: [lead@example.org]")


def test_own_hours_and_targets_are_not_warned_about(spoiled):
    assert problems(spoiled(("example: true", "example: false"), SOMEBODY, SUPERVISED)) == []


def test_coordinators_without_a_supervisor_are_a_warning(spoiled):
    folder = spoiled(("example: true", "example: false"), SOMEBODY)
    [problem] = problems(folder)
    assert problem.warning
    assert problem.line == line_of(folder, "supervisors: []")
    assert "no supervisor is told" in problem.message


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("coordinators: []", "coordinators: [intake]", "notifications.coordinators.0: string does"),
        ("coordinators: []", 'coordinators: ["a@b.org\\nBcc: c@d.org"]', "string does not match"),
        ("coordinators: []", "coordinators: [a@b.org, a@b.org]", "duplicated items"),
        ("webhook: null", "webhook: {url: 'http://b.org/x', secret_from: S}", "webhook.url"),
        ("webhook: null", "webhook: {url: 'https://b.org/x', secret_from: whsec_1}", "secret_from"),
        ("webhook: null", "webhook: {url: 'https://b.org/x'}", "secret_from: field required"),
        ("urgent_after_minutes: 15", "urgent_after_minutes: 0", "greater than or equal to 1"),
        ("urgent_after_minutes: 15", "urgent_after_minutes: soon", "not a valid integer"),
        ("supervisor_after_minutes: 30", "supervisor_after_minutes: 15", "more than urgent_after"),
        ("digest: true", "digest: sometimes", "could not be parsed to a boolean"),
        ("digest: true", "digest: true\n  sms: 1", "extra fields not permitted"),
    ],
)
def test_a_mistake_in_who_is_told_is_named_with_its_line(spoiled, old, new, message):
    folder = spoiled((old, new))
    [(line, said)] = mistakes(folder)
    first = new.splitlines()[-1].strip().partition(":")[0]
    assert message in said
    assert line == line_of(folder, f"  {first}")


ANSWER = "Yes, you can work or go to school while in IOP. Sessions"
AGES = (
    "Our material does not say which ages the clinic sees, or if it sees teens or children. "
    "{reach_us}"
)


@pytest.mark.parametrize(
    ("old", "new", "at", "message"),
    [
        (
            "rule: Mo-Fr 08:30-18:00; PH off",
            "rule: Mo-Fr 08:30-18:0; PH off",
            "rule: Mo-Fr",
            "the hours 'Mo-Fr 08:30-18:0; PH off' cannot be read from '0; PH off' on; days are "
            "Mo Tu We Th Fr Sa Su, times 08:30-18:00; until then the line counts as closed",
        ),
        (
            "rule: Mo-Fr 08:30",
            "rule: Monday-Friday 08:30",
            "rule: Monday",
            "from 'nday-Friday 08:30-18:00; PH off' on; days are Mo Tu We",
        ),
        (
            "exceptions: []",
            "exceptions:\n    - {date: 2026-11-27, hours: off, reason: bridge day}\n"
            "    - {date: 2026-11-27, hours: '08:30-13:00', reason: early closing}",
            "- {date: 2026-11-27, hours: '08",
            "2026-11-27 stands here twice",
        ),
        (
            "exceptions: []",
            "exceptions:\n    - {date: 12/24/2026, hours: off, reason: early closing}",
            "- {date: 12/24",
            "write a day that exists, such as 2026-12-24",
        ),
        (
            "exceptions: []",
            "exceptions:\n    {date: 2026-11-27, hours: off, reason: bridge day}",
            "exceptions:",
            'begin each entry of the list with "- "',
        ),
        ("    known: false", "    known: nope", "known: nope", "write true or false"),
        (
            "topic: telehealth\n    known: false\n    source: silent",
            "topic: telehealth\n    known: true\n    source: silent  # here",
            "source: silent  # here",
            "the answer counts as known, so name where it is written",
        ),
        (
            "time_zone: America/New_York",
            "time_zone: EST",
            "time_zone:",
            "EST may have no summer time; name the place instead",
        ),
        (
            "exceptions: []",
            "exceptions:\n    - {date: 2026-11-27, hours: closed for all, reason: bridge day}",
            "- {date: 2026-11-27",
            "'2026 Nov 27 closed for all' cannot be read",
        ),
        (
            "time_zone: America/New_York",
            "time_zone: America/Boston",
            "time_zone:",
            "no such time zone: 'America/Boston'; use an IANA name such as America/New_York",
        ),
        (
            "08:30-18:00; PH off",
            "08:30-19:00; PH off",
            "en: Monday to Friday, 8:30",
            "the rule says 19:00, but these words do not say '7:00 PM'",
        ),
        (
            "08:30-18:00; PH off",
            "09:30-18:00; PH off",
            "es: de lunes a viernes",
            "the rule says 09:30, but these words do not say '9:30 a. m.'",
        ),
        (
            "08:30-18:00; PH off",
            "08:30-12:00,13:00-18:00; PH off",
            "en: Monday to Friday, 8:30",
            "the rule says 12:00, but these words do not say '12:00 PM'",
        ),
        ('"+18882780716"', '"+18880780716"', 'e164: "+1888', "is not a number that can be dialled"),
        ('"+18882780716"', '"+99918880780"', 'e164: "+999', "is not a number that can be dialled"),
        (
            "display: 888-278-0716",
            "display: 888-278-0761",
            "display: 888",
            "'888-278-0761' is not the same number as +18882780716",
        ),
        (
            "display: 888-278-0716",
            "display: call us",
            "display: call us",
            "'call us' is not the same number as +18882780716",
        ),
        (
            "display: 833-773-2445",
            "display: 833-773-2446",
            "display: 833",
            "is not the same number as +18337732445",
        ),
        (
            ANSWER,
            "yes " * 80 + ANSWER,
            "en: |\n        yes yes",
            "words; at most 80 fit",
        ),
        (
            '"' + ANSWER,
            '"' + "yes " * 80 + ANSWER,
            'en: "yes yes',
            "characters; an SMS may have 320",
        ),
        (
            '"' + ANSWER,
            '"Yes \u2014 you\u2019re free. ' + ANSWER,
            'en: "Yes \u2014',
            "\u2014 \u2019 cannot be sent cheaply by SMS",
        ),
        (ANSWER, "Slot gacor! " + ANSWER, "en: |\n        Slot", "'gacor' looks like spam"),
        ("name: Greater", "name: sakuratoto3 Greater", "name: sakura", "looks like spam"),
    ],
)
def test_a_mistake_is_named_with_its_line(spoiled, old: str, new: str, at: str, message: str):
    folder = spoiled((old, new))
    found = mistakes(folder)
    assert any(line == line_of(folder, at) and message in said for line, said in found), found


@pytest.mark.parametrize(
    ("written", "fits", "over"),
    [
        # The web answer stands first, then the SMS.
        (AGES, "yes " * 80, "yes " * 81),
        ('"' + AGES + '"', "y" * 320, "y" * 321),
    ],
)
def test_the_limits_themselves_are_allowed(spoiled, written: str, fits: str, over: str):
    assert mistakes(spoiled((written, fits))) == []
    assert len(mistakes(spoiled((written, over)))) == 1


def test_accents_in_a_spanish_sms_are_no_mistake(spoiled):
    folder = spoiled(("Puede trabajar o estudiar durante", "Sí, puede trabajar o estudiar durante"))
    assert mistakes(folder) == []


def test_a_label_too_long_for_a_button_is_a_mistake(spoiled, parking: str):
    longer = parking.replace("Is there parking?", "Where can I leave my car today?")
    folder = spoiled(("extra_faq: []", longer))
    assert mistakes(folder) == [
        (
            line_of(folder, "label: {en: Where"),
            "the label has 31 characters; a button holds 28",
        )
    ]


def test_several_mistakes_are_all_named(spoiled):
    folder = spoiled(
        ("time_zone: America/New_York", "time_zone: Mars"),
        ("display: 888-278-0716", "display: 888-278-0761"),
        ("follow_up: [what_is_inpatient, dual", "follow_up: [hospital, dual"),
    )
    said = " ".join(message for _line, message in mistakes(folder))
    for part in ("no such time zone", "not the same number", "'hospital' is not another topic"):
        assert part in said


@pytest.mark.parametrize("rule", ["Mo-Fr 18:00-08:30", "Mo-Fr 08:30-27:00"])
def test_hours_that_end_on_the_next_day_are_a_warning(spoiled, rule: str):
    folder = spoiled(("rule: Mo-Fr 08:30-18:00", f"rule: {rule}"))
    assert any("ends on the next day" in str(found) and found.warning for found in problems(folder))


def test_a_file_that_is_not_yaml_is_named(spoiled):
    folder = spoiled(("id: greater_boston", "id: [greater_boston"))
    [(_line, message)] = mistakes(folder)
    assert message.startswith("not valid YAML")


def test_a_folder_without_profiles_is_a_mistake(tmp_path: Path):
    [(line, message)] = mistakes(tmp_path)
    assert (line, message) == (1, "no clinic profile (*.yml) is here")


def test_a_problem_prints_as_file_line_and_message(spoiled):
    folder = spoiled(
        ("time_zone: America/New_York", "time_zone: Mars"),
        ("true\n  reason", "false\n  reason"),
        SOMEBODY,
        SUPERVISED,
    )
    [problem] = problems(folder)
    line = line_of(folder, "time_zone:")
    assert str(problem).startswith(f"{folder / 'greater_boston.yml'}:{line}: no such time zone")


# --- the website ---------------------------------------------------------------------------


def with_website(spoiled, *lines: str) -> Path:
    section = "website:\n" + "".join(f"  {line}\n" for line in lines)
    return spoiled(
        ("website:\n", f"{section}was_website:\n"),
        ("was_website:\n  # Sites", "  # Sites"),
        ("  origins: []\n", ""),
        ("  exit_page: https://www.weather.gov/\n", ""),
        ("example: true", "example: false"),
    )


@pytest.mark.parametrize(
    "origin",
    [
        "https://www.clinic.example/",
        "https://www.clinic.example/chat",
        "https://WWW.clinic.example",
        "http://www.clinic.example",
        "www.clinic.example",
        "*",
        "https://*.clinic.example",
        "https://a b",
        "https://clinic.example\\nX: y",
        "null",
    ],
)
def test_a_website_that_is_no_origin_is_a_mistake_with_its_line(spoiled, origin):
    folder = with_website(spoiled, "origins:", "  - https://clinic.example", f'  - "{origin}"')
    [(line, message)] = mistakes(folder)
    assert line == line_of(folder, "- https://clinic.example") + 1
    assert "https://www.clinic.example" in message


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('accent: "#ffee00"', "white words on #ffee00 have a contrast of 1.2 to 1"),
        ("accent: teal", "a colour is written"),
        ("exit_page: javascript:alert(1)", "a whole address is needed"),
        ('exit_page: "https://x.example/?a=<b>"', "a whole address is needed"),
        ("origins: [https://a.example, https://a.example]", "stands here twice"),
        ("cookies: true", "extra fields not permitted"),
    ],
)
def test_other_mistakes_of_the_website_are_named(spoiled, line, message):
    folder = with_website(spoiled, line)
    [(at, said)] = mistakes(folder)
    assert at == line_of(folder, line.split(":")[0] + ":")
    assert message in said


def test_a_site_for_trying_out_is_a_warning(spoiled):
    folder = with_website(spoiled, "origins: [http://localhost:3000]")
    [problem] = [one for one in problems(folder) if "http://localhost:3000" in one.message]
    assert problem.warning


def test_the_section_may_be_left_out(spoiled):
    folder = spoiled(("website:\n", "was_website:\n"))
    text = (folder / "greater_boston.yml").read_text(encoding="utf-8")
    start, end = text.index("was_website:"), text.index("# Ends every answer")
    (folder / "greater_boston.yml").write_text(text[:start] + text[end:], encoding="utf-8")
    assert mistakes(folder) == []
