"""What the two shipped clinics answer: their own facts, short, plain, in both languages."""

from __future__ import annotations

import re

import pytest
import textstat

from bot.clinic import gsm7
from bot.clinic.check import SMS_CHARACTERS, WEB_WORDS
from bot.clinic.profile import Clinic, answer_texts
from bot.vocabulary import CHANNELS, FAQ_TOPICS, LANGUAGES

SILENT_IN_BOTH = {
    "program_length",
    "cost_insurance",
    "opening_hours",
    "telehealth",
    "family_involvement",
    "age_eligibility",
    "how_soon",
    "languages",
    "referrals",
}
SILENT_IN_GEORGIA = SILENT_IN_BOTH | {
    "what_is_php",
    "what_is_inpatient",
    "medication_management",
    "conditions_treated",
    "dual_diagnosis",
    "anger_management",
    "detox",
    "location_contact",
    "privacy",
    "inclusive_care",
}
# One plain word for these would be a worse word; they go out as UCS-2.
SPANISH_SMS_WITH_ACCENTS = {("greater_boston", "conditions_treated")}


def web(clinic: Clinic, topic: str, language: str = "en") -> str:
    return clinic.answer(topic, language=language, channel="web").text


def every_answer(clinic: Clinic):
    for topic in FAQ_TOPICS:
        for channel in CHANNELS:
            for language in LANGUAGES:
                answer = clinic.answer(topic, language=language, channel=channel)
                yield topic, channel, language, answer


@pytest.fixture
def grade(monkeypatch: pytest.MonkeyPatch):
    """Flesch-Kincaid grade. Textstat would fetch a pronouncing dictionary; without one
    it counts syllables by hyphenation, which needs no network."""
    monkeypatch.setattr(
        "textstat.backend.counts._count_syllables.get_cmudict", lambda language: None
    )
    return textstat.flesch_kincaid_grade


def test_english_reads_at_grade_8_or_below(both, grade):
    hard = {
        (clinic.id, topic, channel): grade(answer.text)
        for clinic in both
        for topic, channel, language, answer in every_answer(clinic)
        if language == "en" and grade(answer.text) > 8
    }
    assert hard == {}


def test_the_grade_tells_plain_from_hard(grade):
    assert grade("You can call us. We will help.") < 3
    assert grade("Comprehensive stabilization necessitates multidisciplinary collaboration.") > 12


def test_web_answers_are_short(both):
    for clinic in both:
        for topic, channel, language, answer in every_answer(clinic):
            if channel == "web":
                assert len(answer.text.split()) <= WEB_WORDS, (clinic.id, topic, language)


def test_sms_answers_are_short_and_cheap(both):
    accented = set()
    for clinic in both:
        for topic, channel, language, answer in every_answer(clinic):
            if channel != "sms":
                continue
            assert len(answer.text) <= SMS_CHARACTERS, (clinic.id, topic, language)
            assert gsm7.segments(answer.text) <= 4, (clinic.id, topic, language)
            if gsm7.outside(answer.text):
                assert language == "es", (clinic.id, topic)
                accented.add((clinic.id, topic))
            else:
                assert gsm7.segments(answer.text) <= 3, (clinic.id, topic, language)
    assert accented == SPANISH_SMS_WITH_ACCENTS


def test_nothing_is_left_to_fill_in(both):
    for clinic in both:
        for topic, _channel, _language, answer in every_answer(clinic):
            assert not re.search(r"[{}]", answer.text), (clinic.id, topic)


def test_silence_is_marked(boston: Clinic, georgia: Clinic):
    for clinic, silent in ((boston, SILENT_IN_BOTH), (georgia, SILENT_IN_GEORGIA)):
        marked = {
            topic for topic, _channel, _language, answer in every_answer(clinic) if not answer.known
        }
        assert marked == silent


def test_a_silent_answer_says_so_and_names_a_way_to_ask(boston: Clinic, georgia: Clinic):
    ways = {
        ("greater_boston", "en"): "888-278-0716",
        ("greater_boston", "es"): "888-278-0716",
        ("time_wellness_georgia", "en"): "callback",
        ("time_wellness_georgia", "es"): "que le llamemos",
    }
    silence = {
        "en": re.compile(r"our material (does not|has no|gives no)", re.IGNORECASE),
        "es": re.compile(r"nuestro material no", re.IGNORECASE),
    }
    for clinic in (boston, georgia):
        for topic, channel, language, answer in every_answer(clinic):
            if not answer.known:
                assert silence[language].search(answer.text), (clinic.id, topic, channel)
                assert ways[clinic.id, language] in answer.text, (clinic.id, topic, channel)


def test_silent_answers_name_no_price_no_age_and_no_number_of_weeks(both):
    for clinic in both:
        for topic in ("cost_insurance", "age_eligibility", "program_length", "telehealth"):
            for language in LANGUAGES:
                text = web(clinic, topic, language).replace("888-278-0716", "")
                assert not re.search(r"\d|\$", text), (clinic.id, topic, language)


def test_every_answer_has_a_source_in_its_own_article(boston: Clinic, georgia: Clinic):
    for clinic, own, other in (
        (boston, "000_506317d40345b2fb.txt", "004_7c10daa6dd3878f7.txt"),
        (georgia, "004_7c10daa6dd3878f7.txt", "000_506317d40345b2fb.txt"),
    ):
        for entry in clinic.faq:
            assert other not in entry.source
            assert own in entry.source or (not entry.known and "silent" in entry.source)


def test_sessions_a_week_are_each_clinics_own(boston: Clinic, georgia: Clinic):
    for topic in ("difference_iop_outpatient", "what_is_outpatient", "schedule"):
        assert re.search(r"one session a week|once a week", web(boston, topic))
        assert "once or twice a week" in web(georgia, topic).lower()
        assert "twice" not in web(boston, topic)
        assert "una o dos veces por semana" in web(georgia, topic, "es").lower()
        assert "dos veces" not in web(boston, topic, "es")


def test_hours_of_iop_are_each_clinics_own(boston: Clinic, georgia: Clinic):
    for topic in ("difference_iop_outpatient", "what_is_iop", "schedule"):
        assert "3 to 4 hours a day" in web(boston, topic)
        assert "about 4 hours" in web(georgia, topic).lower()
        for clinic in (boston, georgia):
            assert "3 to 5 days a week" in web(clinic, topic)
            assert "de 3 a 5 días por semana" in web(clinic, topic, "es")


def test_whom_outpatient_suits_differs(boston: Clinic, georgia: Clinic):
    assert "moderate" not in web(boston, "who_is_outpatient_for")
    assert "mild or moderate symptoms" in web(georgia, "who_is_outpatient_for")
    assert not boston.outpatient_for_moderate_with_strong_support
    assert georgia.outpatient_for_moderate_with_strong_support


def test_working_during_iop_is_a_fact_in_boston_and_open_in_georgia(
    boston: Clinic, georgia: Clinic
):
    assert web(boston, "work_school").startswith("Yes, you can work or go to school while in IOP")
    assert "day and evening" in web(boston, "work_school")
    assert "does not say if IOP hours fit" in web(georgia, "work_school")


def test_evening_times_are_bostons_only(georgia: Clinic):
    for answer in answer_texts(georgia):
        assert not re.search(r"day and evening|día y de noche|nocturno", answer.text)


def test_medication_is_in_bostons_iop_and_unknown_in_georgia(boston: Clinic, georgia: Clinic):
    assert web(boston, "medication_management").startswith("IOP includes help with medication")
    assert "may be separate" in web(boston, "medication_management")
    assert "does not say" in web(georgia, "medication_management")


def test_effectiveness_depends(both):
    for clinic in both:
        for channel in CHANNELS:
            english = clinic.answer("effectiveness", language="en", channel=channel).text
            spanish = clinic.answer("effectiveness", language="es", channel=channel).text
            assert english.startswith("It depends on what you need.")
            assert "no one can promise a result" in english.lower()
            assert spanish.startswith("Depende de lo que usted necesite.")


def test_no_admission_is_promised_to_inpatient_care(boston: Clinic, georgia: Clinic):
    assert "cannot book it" in web(boston, "what_is_inpatient")
    assert "no puede reservarla" in web(boston, "what_is_inpatient", "es")
    assert "does not say that this clinic has it" in web(georgia, "what_is_inpatient")


def test_the_phone_stands_in_one_place_only(both):
    numbers = re.compile(r"\d{3}[-. ]?\d{4}")
    for clinic in both:
        for answer in answer_texts(clinic):
            assert not numbers.search(answer.text), answer.location


def test_georgia_never_gives_bostons_number(georgia: Clinic):
    for _topic, _channel, _language, answer in every_answer(georgia):
        assert "888" not in answer.text


def test_no_praise_and_nobody_is_told_what_they_need(both):
    wrong = re.compile(
        r"\b(best|top-rated|leading|world-class|expert|guarantee\w*|ideal|seamless"
        r"|you need (?:to be in )?(?:iop|php|outpatient|inpatient)"
        r"|you suffer|mejor(?:es)? (?:del|de la)|garantiza\w*)\b",
        re.IGNORECASE,
    )
    for clinic in both:
        for topic, _channel, _language, answer in every_answer(clinic):
            assert not wrong.search(answer.text), (clinic.id, topic)


def test_spanish_says_usted(both):
    familiar = re.compile(
        r"\b(tú|tu|tus|te|contigo|puedes|necesitas|tienes|llama al)\b", re.IGNORECASE
    )
    for clinic in both:
        for topic, _channel, language, answer in every_answer(clinic):
            if language == "es":
                assert not familiar.search(answer.text), (clinic.id, topic)


def test_spanish_is_not_the_english_text(both):
    for clinic in both:
        for topic in FAQ_TOPICS:
            for channel in CHANNELS:
                english, spanish = (
                    clinic.answer(topic, language=language, channel=channel).text
                    for language in LANGUAGES
                )
                assert english != spanish, (clinic.id, topic)
