"""The summary that staff read first: short, complete, substance-use answers kept apart."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.care.engine import load_rules
from bot.care.questionnaire import load_questionnaire
from bot.care.states import STATE_CODES
from bot.handoff.records import HandoffRecord
from bot.handoff.summary import MOST_LINES, SUBSTANCE_ITEMS, load_wording, summary
from bot.safety.lexicon import CATEGORIES
from bot.vocabulary import CHANNELS, HANDOFFS, ITEMS, LANGUAGES, LEVELS, TIERS, UNKNOWN

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=timezone.utc)


def of_answers(answers, **known) -> HandoffRecord:
    """A record as the hand-off makes it from these answers."""
    found = load_rules().evaluate(answers)
    return HandoffRecord(
        **{
            "conversation": "a",
            "clinic": "greater_boston",
            "channel": "web",
            "kind": "callback",
            "language": "en",
            "tier": "none",
            "level": found.level,
            "at_least": found.at_least,
            "answers": answers,
            "reasons": [
                {"rule": r.rule, "why": r.why, "items": list(r.items)}
                for r in (*found.reasons, *found.notes)
            ],
            "unknown": found.unknown,
            "rules_version": found.rules_version,
            **known,
        }
    )


ANSWERS = st.fixed_dictionaries(
    {},
    optional={
        item: st.sampled_from([*(values or STATE_CODES), UNKNOWN]) for item, values in ITEMS.items()
    },
)
WORDS = st.none() | st.text(max_size=120)
OK = st.sampled_from([None, "yes", "no", UNKNOWN])
RECORDS = st.builds(
    of_answers,
    ANSWERS,
    channel=st.sampled_from(CHANNELS),
    kind=st.sampled_from(HANDOFFS),
    language=st.sampled_from(LANGUAGES),
    tier=st.sampled_from(TIERS),
    tier_rule=st.sampled_from([None, "wants_to_die", "classifier", "questionnaire"]),
    safety_category=st.sampled_from([None, *CATEGORIES]),
    relation=st.sampled_from([None, *load_questionnaire().relations]),
    name=WORDS,
    phone=st.sampled_from([None, "+16175550142", "+442079460018"]),
    phone_owner=st.sampled_from([None, "visitor", "person", UNKNOWN]),
    best_time=WORDS,
    time_zone=st.sampled_from([None, "America/New_York"]),
    ok_to_call=OK,
    ok_to_text=OK,
    ok_voicemail=OK,
    state=st.sampled_from([None, "MA"]),
    consent_at=st.sampled_from([None, NOW]),
)


@given(RECORDS)
def test_every_record_has_a_summary_of_at_most_twelve_lines(record):
    made = summary(record)
    assert 0 < len(made.lines) <= MOST_LINES
    assert all(
        line.text
        and "\n" not in line.text
        and "{" not in line.text.replace(record.name or "", "").replace(record.best_time or "", "")
        for line in made.lines
    )
    assert len(made.outside_part2) + len(made.part2) == len(made.lines)


@given(RECORDS)
def test_what_may_leave_the_console_does_not_depend_on_substance_use_answers(record):
    """Two visitors who differ in those answers alone read the same outside of Part 2."""
    without = {k: v for k, v in record.answers.items() if k not in SUBSTANCE_ITEMS}
    reasons = [r for r in record.reasons if not SUBSTANCE_ITEMS & set(r["items"])]
    silent = dataclasses.replace(record, answers={"state": UNKNOWN, **without}, reasons=reasons)
    told = dataclasses.replace(record, answers={"state": UNKNOWN, **record.answers})
    assert summary(told).outside_part2 == summary(silent).outside_part2
    assert not summary(silent).part2 or record.safety_category in (
        "overdose_and_poison",
        "medical_emergency_and_withdrawal",
    )


def test_a_whole_record_reads_like_this():
    answers = {
        "for_whom": "someone_else",
        "age_band": "adult",
        "state": "MA",
        "safety_now": "past",
        "withdrawal_risk": "none",
        "needs_24h_care": "no",
        "symptom_severity": "severe",
        "substance_use": "alongside",
    }
    record = of_answers(
        answers,
        name="Ana",
        state="MA",
        relation="son",
        phone="+16175550142",
        phone_owner="person",
        ok_to_call="yes",
        ok_to_text="no",
        ok_voicemail="no",
        best_time="mornings",
        time_zone="America/New_York",
        tier="crisis_self",
        tier_rule="wants_to_die",
        safety_category="suicide_active",
        consent_at=NOW,
    )
    made = summary(record)
    text = "\n".join(line.text for line in made.lines)
    for words in (
        "Ana, MA.",
        "Asks for their son, adult. The number belongs to that person.",
        "Risk: CRISIS. Suicide or self-harm of the writer",
        "Why: an active wish to die (rule: wants to die).",
        "Call (617) 555-0142; do not text. No voicemail.",
        "Good time to call: mornings (New York time).",
        "Speaks English, wrote by web chat. Agreed to be contacted, 2026-11-23 15:00 UTC.",
        "By the rules: IOP. A clinician decides.",
        "Because: ",
        "Still to ask: recent care",
    ):
        assert words in text
    assert len(made.lines) <= MOST_LINES
    assert any("Alcohol, drugs or pills: Yes, next to other things." in line for line in made.part2)


@pytest.mark.parametrize(
    ("known", "line"),
    [
        ({}, "No name. Age and state unknown."),
        ({"name": "Ana"}, "Ana. Age and state unknown."),
        ({"name": "Ana", "state": "MA"}, "Ana, MA. Age unknown."),
        ({"state": "MA", "answers": {"age_band": "adult"}}, "No name, adult, MA."),
        ({"answers": {"age_band": "under_18"}}, "No name, under 18. State unknown."),
    ],
)
def test_who_it_is_reads_well_whatever_is_known(known, line):
    record = HandoffRecord("a", "c", "web", "callback", "en", "none", **known)
    assert summary(record).lines[0].text == line


@pytest.mark.parametrize(
    ("allowed", "line"),
    [
        (("yes", "yes", "yes"), "Call or text (617) 555-0142. Voicemail is fine."),
        (("no", "yes", None), "Text (617) 555-0142; do not call. Did not say about voicemail"),
        (("no", "no", None), "(617) 555-0142, but neither a call nor a text is safe."),
        (("unknown",) * 3, "(617) 555-0142; did not say whether a call or a text is safe."),
    ],
)
def test_how_to_get_in_touch_says_what_is_safe(allowed, line):
    names = ("ok_to_call", "ok_to_text", "ok_voicemail")
    record = HandoffRecord("a", "c", "web", "callback", "en", "none", phone="+16175550142")
    record = dataclasses.replace(record, **dict(zip(names, allowed, strict=True)))
    assert any(made.text.startswith(line) for made in summary(record).lines)


def test_somebody_in_danger_who_left_nothing_is_said_to_have_left_nothing():
    record = HandoffRecord(
        "a", "c", "sms", "crisis", "es", "emergency", "took_pills", "overdose_and_poison"
    )
    made = summary(record)
    assert "No phone number: the chat itself is all we have." in made.outside_part2
    assert made.part2 == ("Why: overdose or poison (rule: took pills).",)


@pytest.mark.parametrize("table", ["tiers", "categories", "levels"])
def test_every_tier_category_and_level_has_words(table):
    names = {"tiers": TIERS, "categories": CATEGORIES, "levels": LEVELS}[table]
    assert set(getattr(load_wording(), table)) == set(names)
