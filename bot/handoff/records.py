"""What staff find under a reference code: plain values, and how two requests become one."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bot.vocabulary import HANDOFF_CALLBACK, HANDOFF_CRISIS, TIER_NONE, higher_tier


@dataclasses.dataclass(frozen=True)
class HandoffRecord:
    """One hand-off; field names as in `bot.vocabulary`.

    Attributes:
        conversation: the conversation that began it.
        kind: phone, callback or crisis.
        tier, tier_rule: highest tier of the person's conversations and what set it: a
            lexicon entry, "classifier", "button", "questionnaire" or "direct_question".
        safety_category: what kind of danger, the most serious (lexicon category).
        level, at_least: result of the level-of-care rules, if they ran.
        answers: questionnaire item to value.
        reasons: why the rules say so, weightiest first: {"rule", "why", "items"}.
        unknown: items that the rules would have liked to know.
        rules_version: version of the rules that ran.
        relation: whom it is about, an id of the questionnaire's relations; None: the
            visitor, or not told.
        phone: E.164.
        phone_owner: whose number it is, "visitor" or "person"; None: the visitor asks for
            themselves, or did not say.
        best_time: in the visitor's words.
        call_from, call_until: the next time that suits both the visitor and the clinic's
            hours; None where the words give no time, or none that the clinic can meet.
        time_zone: IANA name in which `best_time` was read.
        ok_to_call, ok_to_text, ok_voicemail: "yes", "no", "unknown"; None: never asked.
        state: two-letter code.
        consent, consent_at: the wording to which the visitor said yes, and when; None
            without contact details.
    """

    conversation: str
    clinic: str
    channel: str
    kind: str
    language: str
    tier: str
    tier_rule: str | None = None
    safety_category: str | None = None
    level: str | None = None
    at_least: str | None = None
    answers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    reasons: Sequence[Mapping[str, Any]] = ()
    unknown: Sequence[str] = ()
    rules_version: str | None = None
    relation: str | None = None
    name: str | None = None
    phone: str | None = None
    phone_owner: str | None = None
    best_time: str | None = None
    call_from: datetime | None = None
    call_until: datetime | None = None
    time_zone: str | None = None
    ok_to_call: str | None = None
    ok_to_text: str | None = None
    ok_voicemail: str | None = None
    state: str | None = None
    consent: str | None = None
    consent_at: datetime | None = None


@dataclasses.dataclass(frozen=True)
class Recorded:
    """A committed hand-off.

    Attributes:
        reference: its code.
        updated: it existed before.
        requested_before: it asked for a call before: there was a number already.
    """

    reference: str
    updated: bool
    requested_before: bool = False


_CARE = ("answers", "reasons", "unknown", "rules_version", "level", "at_least", "relation")
_CONTACT = (
    *("name", "phone", "phone_owner", "ok_to_call", "ok_to_text", "ok_voicemail", "state"),
    *("consent", "consent_at"),
)
_TIME = ("best_time", "call_from", "call_until", "time_zone")
_DANGER = ("tier_rule", "safety_category")


def merged(earlier: HandoffRecord, later: HandoffRecord) -> HandoffRecord:
    """The record of somebody who asks again.

    The later request counts; what it does not say is kept. Danger never gets less.
    """
    kept: dict[str, Any] = {"conversation": earlier.conversation}
    if earlier.answers and not later.answers:
        kept |= {name: getattr(earlier, name) for name in _CARE}
    kept |= {name: getattr(earlier, name) for name in _CONTACT if getattr(later, name) is None}
    if later.best_time is None:
        kept |= {name: getattr(earlier, name) for name in _TIME}
    if later.tier != higher_tier(earlier.tier, later.tier) or (
        later.tier == earlier.tier and earlier.tier_rule
    ):
        kept |= {"tier": earlier.tier} | {name: getattr(earlier, name) for name in _DANGER}
    waits_for_a_call = earlier.kind == HANDOFF_CALLBACK and earlier.phone is not None
    if earlier.kind == HANDOFF_CRISIS or (waits_for_a_call and later.kind != HANDOFF_CRISIS):
        kept["kind"] = earlier.kind
    return dataclasses.replace(later, **kept)


def crisis_record(
    *,
    conversation: str,
    clinic: str,
    channel: str,
    language: str,
    tier: str = TIER_NONE,
    rule: str | None = None,
    categories: Sequence[str] = (),
) -> HandoffRecord:
    """What staff find of a person in danger who has left nothing but their words.

    Args:
        rule: what set the tier.
        categories: what kind of danger, most serious first.
    """
    return HandoffRecord(
        conversation=conversation,
        clinic=clinic,
        channel=channel,
        kind=HANDOFF_CRISIS,
        language=language,
        tier=tier,
        tier_rule=rule,
        safety_category=categories[0] if categories else None,
    )
