"""Reading a profile: what loads, what is refused, and with which line."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.clinic.profile import Clinic, load_clinic, load_clinics
from bot.reviewed import DataError
from bot.settings import ROOT
from bot.vocabulary import FAQ_TOPICS


def line_of(folder: Path, text: str) -> int:
    content = (folder / "greater_boston.yml").read_text(encoding="utf-8")
    return content[: content.index(text)].count("\n") + 1


def mistakes(folder: Path) -> list[tuple[int, str]]:
    with pytest.raises(DataError) as caught:
        load_clinic(folder / "greater_boston.yml")
    return [(problem.line, problem.message) for problem in caught.value.problems]


def test_both_clinics_load_by_id():
    assert list(load_clinics(ROOT / "clinics")) == ["greater_boston", "time_wellness_georgia"]


def test_facts_at_the_head_are_each_clinics_own(boston: Clinic, georgia: Clinic):
    assert boston.phone is not None
    assert (boston.phone.e164, boston.phone.display) == ("+18882780716", "888-278-0716")
    assert georgia.phone is None
    assert (boston.state, boston.licensed_states) == ("MA", ["MA"])
    assert (georgia.state, georgia.licensed_states) == ("GA", ["GA"])
    assert boston.levels_offered == ["outpatient", "iop", "php"]
    assert boston.levels_by_referral == ["inpatient"]
    assert georgia.levels_offered == ["outpatient", "iop"]
    assert boston.crisis_line.e164 != georgia.crisis_line.e164


def test_hours_of_both_are_marked_as_examples(both):
    for clinic in both:
        assert clinic.hours.example
        assert clinic.hours.rule == "Mo-Fr 08:30-18:00; PH off"
        assert clinic.time_zone == "America/New_York"


def test_an_answer_carries_follow_ups_and_source(boston: Clinic):
    answer = boston.answer("detox", language="en", channel="web")
    assert answer.follow_up == ("what_is_inpatient", "dual_diagnosis", "step_up_step_down")
    assert "000_506317d40345b2fb.txt" in answer.source
    assert answer.known


def test_follow_ups_are_other_topics(both):
    for clinic in both:
        for entry in clinic.faq:
            assert set(entry.follow_up) <= set(FAQ_TOPICS) - {entry.topic}


def test_an_unknown_topic_is_an_error(boston: Clinic):
    with pytest.raises(KeyError):
        boston.answer("parking", language="en", channel="web")


def test_changing_the_phone_changes_every_answer(spoiled):
    folder = spoiled(("display: 888-278-0716", "display: 617-555-0142"))
    clinic = load_clinic(folder / "greater_boston.yml")
    for topic in ("location_contact", "cost_insurance", "what_to_expect"):
        text = clinic.answer(topic, language="en", channel="sms").text
        assert "617-555-0142" in text
        assert "888" not in text


def test_an_added_entry_is_answered(with_parking: Clinic):
    answer = with_parking.answer("parking", language="es", channel="web")
    assert answer.text == "Sí, detrás. Llame al 888-278-0716."
    assert answer.known
    assert answer.follow_up == ("location_contact",)


def test_an_added_entry_may_be_a_follow_up(spoiled, parking: str):
    folder = spoiled(
        ("extra_faq: []", parking),
        ("follow_up: [opening_hours, telehealth, how_soon]", "follow_up: [parking]"),
    )
    clinic = load_clinic(folder / "greater_boston.yml")
    answer = clinic.answer("location_contact", language="en", channel="web")
    assert answer.follow_up == ("parking",)


def test_an_added_entry_cannot_take_a_topics_name(spoiled, parking: str):
    folder = spoiled(("extra_faq: []", parking.replace("id: parking", "id: detox")))
    assert mistakes(folder) == [
        (line_of(folder, "- id: detox"), "'detox' has an answer already; keep one")
    ]


@pytest.mark.parametrize(
    ("old", "new", "at", "message"),
    [
        ("  - topic: detox", "  - topic: detoxing", "- topic: detoxing", "permitted"),
        ("short_name: Greater", "shortname: Greater", "shortname:", "extra fields not permitted"),
        ("state: MA", "state: NY", "state: NY", "permitted: 'MA', 'GA'"),
        ('"+18882780716"', '"888.278.0716"', 'e164: "888', "in quotation marks, with + and 1"),
        ("en: Massachusetts", "es: Massachusetts", "es: línea de ayuda", "stands twice"),
        ("example: true", "example: maybe", "example: maybe", "boolean"),
    ],
)
def test_a_mistake_in_the_schema_is_named_with_its_line(
    spoiled, old: str, new: str, at: str, message: str
):
    folder = spoiled((old, new))
    assert any(
        line == line_of(folder, at) and message in said for line, said in mistakes(folder)
    ), mistakes(folder)


def test_a_missing_language_is_a_mistake(spoiled):
    folder = spoiled(
        (
            '      es: "Nuestro material no dice si hay citas por internet',
            '      # "Nuestro material no dice si hay citas por internet',
        )
    )
    [(line, message)] = mistakes(folder)
    assert message.endswith("sms.es: field required")
    assert line == line_of(folder, '      en: "Our material does not say if there are online') - 1


def test_a_missing_topic_is_a_mistake(spoiled):
    folder = spoiled(("  - topic: detox\n", "  - topic: telehealth\n"))
    said = [message for _line, message in mistakes(folder)]
    assert "the topic 'detox' has no answer; add one" in said
    assert "'telehealth' has an answer already; keep one" in said


def test_a_follow_up_that_is_no_topic_is_a_mistake(spoiled):
    folder = spoiled(("follow_up: [what_is_inpatient, dual", "follow_up: [hospital, dual"))
    assert mistakes(folder) == [
        (
            line_of(folder, "follow_up: [hospital"),
            "the follow-up 'hospital' is not another topic of this clinic",
        )
    ]


def test_a_topic_cannot_follow_itself(spoiled):
    folder = spoiled(("follow_up: [what_is_inpatient, dual", "follow_up: [detox, dual"))
    assert len(mistakes(folder)) == 1


def test_the_phone_placeholder_needs_a_phone(spoiled):
    folder = spoiled(
        (
            'phone:\n  e164: "+18882780716"\n  display: 888-278-0716\n'
            '  source: 000_506317d40345b2fb.txt, "Conclusion"\n',
            "phone: null\n",
        )
    )
    found = mistakes(folder)
    assert {message for _line, message in found} == {
        "{phone} stands here, but the clinic's phone is null"
    }
    assert (line_of(folder, '  en: "A person on our consultation line'), found[0][1]) in found


def test_an_unknown_placeholder_is_a_mistake(spoiled):
    folder = spoiled(('line can tell you: {phone}."', 'line can tell you: {number}."'))
    assert mistakes(folder) == [
        (line_of(folder, '  en: "A person on our'), "unknown placeholder {number}; use {phone}")
    ]


def test_the_phone_must_be_given_or_null(spoiled):
    folder = spoiled(("phone:\n", "telephone:\n"))
    assert any("phone: field required" in message for _line, message in mistakes(folder))


def test_the_id_is_the_files_name(spoiled):
    folder = spoiled(("id: greater_boston", "id: greater_cleveland"))
    [(line, message)] = mistakes(folder)
    assert line == line_of(folder, "id: greater_cleveland")
    assert "must be the file's name" in message


def test_a_folder_without_profiles_is_an_error(tmp_path: Path):
    with pytest.raises(DataError, match="no clinic profile"):
        load_clinics(tmp_path)


def test_every_bad_profile_of_a_folder_is_named(tmp_path: Path):
    (tmp_path / "a.yml").write_text("id: a\n", encoding="utf-8")
    (tmp_path / "b.yml").write_text("id: [\n", encoding="utf-8")
    with pytest.raises(DataError) as caught:
        load_clinics(tmp_path)
    assert {problem.path.name for problem in caught.value.problems} == {"a.yml", "b.yml"}
