"""Crisis replies: the right route, help in every one of them, never the same twice."""

from __future__ import annotations

import datetime
import itertools
import re
from pathlib import Path

import pytest

from bot.reviewed import DataError
from bot.safety.check import problems
from bot.safety.replies import (
    CONTACTS,
    FOLLOW_UPS,
    REPLIES,
    is_crisis_response,
    load_replies,
    stale_contacts,
)
from bot.vocabulary import CHANNELS, LANGUAGES

CRISIS = load_replies()
SITUATIONS = [
    ("concern", ("suicide_passive",)),
    ("crisis_other", ("third_person",)),
    ("crisis_other", ("violence_and_abuse",)),
    ("crisis_other", ("harm_to_others",)),
    ("crisis_self", ("suicide_active",)),
    ("crisis_self", ()),
    ("emergency", ("overdose_and_poison",)),
    ("emergency", ("violence_and_abuse",)),
    ("emergency", ()),
]
# GSM 03.38 basic set: a text within it costs one septet a character.
GSM = set(
    "@\u00a3$\u00a5\u00e8\u00e9\u00f9\u00ec\u00f2\u00c7\n\u00d8\u00f8\r\u00c5\u00e5_\u00c6\u00e6"
    "\u00df\u00c9 !\"#\u00a4%&'()*+,-./0123456789:;<=>?\u00a1ABCDEFGHIJKLMNOPQRSTUVWXYZ\u00c4"
    "\u00d6\u00d1\u00dc\u00a7\u00bfabcdefghijklmnopqrstuvwxyz\u00e4\u00f6\u00f1\u00fc\u00e0"
)


def reply(tier, categories=(), *, channel="web", language="en", state="MA", times=0):
    return CRISIS.reply(
        tier,
        categories,
        channel=channel,
        language=language,
        clinic_state=state,
        clinic_line="888-278-0716",
        times_before=times,
    )


def every_message(channel: str, language: str):
    for tier, categories in SITUATIONS:
        for times in range(4):
            yield reply(tier, categories, channel=channel, language=language, times=times)
    for name in FOLLOW_UPS:
        yield CRISIS.follow_up(
            name, channel=channel, language=language, clinic_state="GA", clinic_line=None
        )


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("channel", CHANNELS)
def test_every_reply_names_a_line_to_a_person(channel: str, language: str) -> None:
    for message in every_message(channel, language):
        assert re.search(r"988|911|1-800-799-7233", message.text), message.response
        assert "{" not in message.text, message.response


@pytest.mark.parametrize("language", LANGUAGES)
def test_sms_replies_are_short_and_plain(language: str) -> None:
    for message in every_message("sms", language):
        assert len(message.text) <= 320, message.response
        assert set(message.text) <= GSM, (message.response, set(message.text) - GSM)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_crisis_sms_begins_with_the_number(language: str) -> None:
    for tier, categories in SITUATIONS:
        if tier != "concern":
            text = reply(tier, categories, channel="sms", language=language).text
            assert re.search(r"\b(988|911)\b", text[:30]), text


@pytest.mark.parametrize(
    ("tier", "categories", "named"),
    [
        ("crisis_self", ("suicide_active",), ["988", "911", "741741", "833-773-2445"]),
        ("crisis_other", ("third_person",), ["988", "911", "833-773-2445"]),
        ("crisis_other", ("violence_and_abuse",), ["1-800-799-7233", "88788", "911"]),
        ("emergency", ("overdose_and_poison",), ["911", "1-800-222-1222", "988"]),
        ("emergency", ("violence_and_abuse",), ["911", "1-800-799-7233"]),
    ],
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_each_danger_has_its_own_route(tier, categories, named, language) -> None:
    text = reply(tier, categories, language=language).text
    assert [number for number in named if number not in text] == []


def test_the_state_line_is_the_clinics_own() -> None:
    assert "1-800-715-4225" in reply("crisis_self", state="GA").text
    assert "833-773-2445" not in reply("crisis_self", state="GA").text
    elsewhere = reply("crisis_self", state=None).text
    assert "1-800-715-4225" not in elsewhere
    assert "833-773-2445" not in elsewhere
    assert "\n- \n" not in elsewhere


def test_spanish_speakers_are_told_how_to_be_answered_in_spanish() -> None:
    text = reply("crisis_self", language="es").text
    assert "oprima 2" in text
    assert "HOLA" in text


@pytest.mark.parametrize(("tier", "categories"), SITUATIONS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_reply_follows_itself(tier, categories, language) -> None:
    texts = [reply(tier, categories, language=language, times=times).text for times in range(9)]
    assert all(one != other for one, other in itertools.pairwise(texts))


@pytest.mark.parametrize(
    ("tier", "categories"), [each for each in SITUATIONS if each[0] != "concern"]
)
def test_later_replies_are_shorter(tier, categories) -> None:
    first = len(reply(tier, categories).text)
    assert all(len(reply(tier, categories, times=times).text) < first for times in (1, 2, 3))


@pytest.mark.parametrize(("tier", "categories"), SITUATIONS)
@pytest.mark.parametrize("times", range(6))
def test_every_reply_counts_as_the_answer_to_its_tier(tier, categories, times) -> None:
    assert is_crisis_response(reply(tier, categories, times=times).response, tier)


@pytest.mark.parametrize(
    ("response", "tier", "answers"),
    [
        ("crisis_self", "emergency", False),
        ("concern_check", "crisis_self", False),
        ("crisis_other", "crisis_self", False),
        ("emergency_overdose", "crisis_self", True),
        ("faq_what_is_iop", "concern", False),
        ("crisis_selfish", "crisis_self", False),
        ("crisis_go_on", "crisis_self", False),
    ],
)
def test_only_the_reply_of_the_tier_or_above_answers_it(response, tier, answers) -> None:
    assert is_crisis_response(response, tier) is answers


def test_the_direct_question_offers_not_sure() -> None:
    assert [button.intent for button in reply("concern").buttons] == ["affirm", "deny", "unsure"]
    assert "killing yourself?" in reply("concern").text


def test_a_crisis_reply_offers_calling_not_calling_a_person_and_going_on() -> None:
    assert [button.intent for button in reply("crisis_self").buttons] == [
        "crisis_can_call",
        "crisis_cannot_call",
        "ask_for_person",
        "crisis_go_on",
    ]


def test_no_danger_has_no_reply() -> None:
    with pytest.raises(ValueError, match="no reply for tier"):
        reply("none")


def test_no_number_stands_in_a_reply_itself() -> None:
    written = re.sub(r"988lifeline\.org", "", REPLIES.read_text(encoding="utf-8"))
    lines = [line for line in written.splitlines() if not line.lstrip().startswith(("#", "why:"))]
    assert re.findall(r"\b(?:988|911|\d{5,}|\d{3}-\d{4})\b", "\n".join(lines)) == []


def test_a_contact_not_checked_for_half_a_year_is_a_warning() -> None:
    newest = datetime.date(2026, 11, 22)
    assert stale_contacts(newest + datetime.timedelta(days=180)) == []
    warnings = stale_contacts(newest + datetime.timedelta(days=181))
    assert warnings
    assert all(warning.warning and warning.line > 1 for warning in warnings)


def test_an_unknown_contact_refuses_to_load(tmp_path: Path) -> None:
    broken = tmp_path / "replies.yml"
    text = REPLIES.read_text(encoding="utf-8").replace("{poison}", "{posion}", 1)
    broken.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match="no contact is named 'posion'"):
        load_replies(broken, CONTACTS)


def test_a_missing_translation_refuses_to_load(tmp_path: Path) -> None:
    broken = tmp_path / "replies.yml"
    text = REPLIES.read_text(encoding="utf-8").replace("    es: |", "    fr: |", 1)
    broken.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match="es: field required"):
        load_replies(broken, CONTACTS)


def test_the_projects_own_data_has_no_problems() -> None:
    assert [str(problem) for problem in problems(datetime.date(2026, 11, 22))] == []
