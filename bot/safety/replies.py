"""What is said to a person in danger: reviewed texts, chosen by tier and situation.

Pure and small, because both the brain and the gateway's guarantee use it: the
gateway must be able to answer while everything else is down. The texts are
`replies.yml`, the numbers `contacts.yml`.
"""

from __future__ import annotations

import dataclasses
import datetime
import string
from collections.abc import Sequence
from pathlib import Path

from bot.reviewed import Bilingual, DataError, Document, Problem, ReviewedModel
from bot.turns import BotMessage, Button
from bot.vocabulary import (
    LANGUAGES,
    TIER_CONCERN,
    TIER_CRISIS_OTHER,
    TIER_CRISIS_SELF,
    TIER_EMERGENCY,
    tier_at_least,
)

REPLIES = Path(__file__).with_name("replies.yml")
CONTACTS = Path(__file__).with_name("contacts.yml")

# Which replies answer a tier: the name itself, or the name and "_...".
_FAMILIES: dict[str, tuple[str, ...]] = {
    TIER_CONCERN: ("concern_check",),
    TIER_CRISIS_OTHER: ("crisis_other", "crisis_abuse", "crisis_harm_others"),
    TIER_CRISIS_SELF: ("crisis_self",),
    TIER_EMERGENCY: ("emergency",),
}

# What the first, second, third ... message of one kind gets; after the last it goes
# round again without the first (of two, in turn), so that no reply follows itself.
_SEQUENCES: dict[str, tuple[str, ...]] = {
    "concern_check": ("concern_check", "concern_check_again"),
    "crisis_self": ("crisis_self", "crisis_self_again", "crisis_self_stay", "crisis_self_near"),
    "crisis_other": ("crisis_other", "crisis_other_again", "crisis_other_stay"),
    "crisis_abuse": ("crisis_abuse", "crisis_abuse_again", "crisis_other_stay"),
    "crisis_harm_others": (
        "crisis_harm_others",
        "crisis_harm_others_again",
        "crisis_other_stay",
    ),
    "emergency": ("emergency", "emergency_again", "emergency_stay"),
    "emergency_overdose": ("emergency_overdose", "emergency_again", "emergency_stay"),
    "emergency_violence": ("emergency_violence", "emergency_again", "emergency_stay"),
}

# Said after a disclosure, on its own occasion (`CrisisReplies.follow_up`).
FOLLOW_UPS: tuple[str, ...] = (
    "help_now",
    "concern_no",
    "past_or_negated",
    "crisis_can_call",
    "emergency_help_coming",
    "crisis_cannot_call",
    "crisis_police",
    "crisis_not_talking",
    "crisis_stay",
    "crisis_go_on",
)

_STATE_LINE = {
    "en": {True: "{name}: call or text {number}", False: "{name}: call {number}"},
    "es": {True: "{name}: llame o mande un mensaje al {number}", False: "{name}: {number}"},
}


class Contact(ReviewedModel):
    """A crisis line.

    Attributes:
        id: the placeholder in replies.yml.
        shown: the number as people read it.
        state: two-letter code, if it serves one state only.
        by_text: a state line that also takes text messages.
        verified_on: when it was last checked against `source`.
    """

    id: str
    shown: str
    name: Bilingual
    hours: str
    verified_on: datetime.date
    source: str
    state: str | None = None
    by_text: bool = False


class _Choice(ReviewedModel):
    intent: str
    en: str
    es: str


class _Reply(Bilingual):
    id: str
    why: str
    sms: Bilingual
    buttons: tuple[str, ...] = ()


class _ContactsFile(ReviewedModel):
    contacts: list[Contact]


class _RepliesFile(ReviewedModel):
    choices: dict[str, _Choice]
    replies: list[_Reply]


def is_crisis_response(response: str, tier: str) -> bool:
    """Whether `response` (`BotMessage.response`) answers a message of `tier`.

    The reply of a higher tier answers a lower one too, never the other way round.
    """
    return any(
        response == name or response.startswith(f"{name}_")
        for family, names in _FAMILIES.items()
        if tier_at_least(family, tier)
        for name in names
    )


@dataclasses.dataclass(frozen=True)
class CrisisReplies:
    """Every crisis reply; built by `load_replies`."""

    _replies: dict[str, _Reply]
    _choices: dict[str, _Choice]
    _contacts: dict[str, Contact]

    def reply(
        self,
        tier: str,
        categories: Sequence[str],
        *,
        channel: str,
        language: str,
        clinic_state: str | None,
        clinic_line: str | None,
        times_before: int = 0,
    ) -> BotMessage:
        """The reply to a message of `tier`.

        Args:
            tier: `concern` or above.
            categories: of the reading, most serious first; they choose the route
                (overdose, danger at home, harm to others).
            channel: "web" or "sms".
            language: "en" or "es".
            clinic_state: two-letter code; its state line is named if we know one.
            clinic_line: the clinic's own phone number as displayed.
            times_before: how many crisis replies this conversation had already;
                later ones are shorter and different.

        Raises:
            ValueError: `tier` is `none` or unknown.
        """
        sequence = _SEQUENCES[_route(tier, categories)]
        later = sequence[1:] if len(sequence) > 2 else sequence[::-1]
        name = later[(times_before - 1) % len(later)] if times_before else sequence[0]
        return self._message(name, channel, language, clinic_state, clinic_line)

    def follow_up(
        self,
        name: str,
        *,
        channel: str,
        language: str,
        clinic_state: str | None,
        clinic_line: str | None,
    ) -> BotMessage:
        """A member of `FOLLOW_UPS`; arguments as in `reply`. Raises KeyError for others."""
        if name not in FOLLOW_UPS:
            raise KeyError(name)
        return self._message(name, channel, language, clinic_state, clinic_line)

    def _message(
        self,
        name: str,
        channel: str,
        language: str,
        clinic_state: str | None,
        clinic_line: str | None,
    ) -> BotMessage:
        reply = self._replies[name]
        template = reply.sms if channel == "sms" else reply
        values = {contact.id: contact.shown for contact in self._contacts.values()}
        for contact in self._contacts.values():
            if clinic_state and contact.state == clinic_state:
                values["state_line"] = _STATE_LINE[language][contact.by_text].format(
                    name=contact.name.in_language(language), number=contact.shown
                )
        if clinic_line:
            values["line"] = clinic_line
        lines = [
            line.format_map(values)
            for line in template.in_language(language).strip().split("\n")
            if _placeholders(line) <= set(values)
        ]
        return BotMessage(
            text="\n".join(lines).strip(),
            response=name,
            buttons=[
                Button(label=str(getattr(choice, language)), intent=choice.intent)
                for choice in (self._choices[button] for button in reply.buttons)
            ],
        )


def load_replies(replies: Path = REPLIES, contacts: Path = CONTACTS) -> CrisisReplies:
    """Read and check replies and contacts; raises `DataError` with every mistake."""
    contacts_document = Document(contacts)
    known = {contact.id: contact for contact in contacts_document.parse(_ContactsFile).contacts}
    document = Document(replies)
    content = document.parse(_RepliesFile)
    problems = list(_problems(document, content, set(known) | {"state_line", "line"}))
    if problems:
        raise DataError(problems)
    return CrisisReplies(
        {reply.id: reply for reply in content.replies}, dict(content.choices), known
    )


def stale_contacts(
    today: datetime.date, oldest_days: int = 180, contacts: Path = CONTACTS
) -> list[Problem]:
    """A warning for every contact last checked more than `oldest_days` days ago."""
    document = Document(contacts)
    return [
        document.problem(
            ("contacts", number, "verified_on"),
            f"{contact.id} was last verified on {contact.verified_on}: check it against "
            f"{contact.source}, then update verified_on",
            warning=True,
        )
        for number, contact in enumerate(document.parse(_ContactsFile).contacts)
        if (today - contact.verified_on).days > oldest_days
    ]


def _route(tier: str, categories: Sequence[str]) -> str:
    """The key of `_SEQUENCES` for a message."""
    if tier == TIER_CONCERN:
        return "concern_check"
    if tier == TIER_CRISIS_SELF:
        return "crisis_self"
    if tier == TIER_CRISIS_OTHER:
        routes = {"violence_and_abuse": "crisis_abuse", "harm_to_others": "crisis_harm_others"}
        return next((routes[each] for each in categories if each in routes), "crisis_other")
    if tier == TIER_EMERGENCY:
        routes = {
            "overdose_and_poison": "emergency_overdose",
            "violence_and_abuse": "emergency_violence",
        }
        return routes.get(categories[0] if categories else "", "emergency")
    raise ValueError(f"there is no reply for tier {tier!r}")


def _problems(document: Document, content: _RepliesFile, known: set[str]) -> list[Problem]:
    problems: list[Problem] = []
    names = [reply.id for reply in content.replies]
    expected = {name for sequence in _SEQUENCES.values() for name in sequence} | set(FOLLOW_UPS)
    for missing in sorted(expected - set(names)):
        problems.append(document.problem(("replies",), f"the reply {missing!r} is missing"))
    for number, reply in enumerate(content.replies):
        place: tuple[str | int, ...] = ("replies", number)
        if names.index(reply.id) != number:
            problems.append(document.problem(place, f"the id {reply.id!r} stands twice"))
        if reply.id not in expected:
            problems.append(document.problem(place, f"no situation uses {reply.id!r}"))
        for button in reply.buttons:
            if button not in content.choices:
                problems.append(document.problem(place, f"no choice is named {button!r}"))
        for language in LANGUAGES:
            for text in (reply.in_language(language), reply.sms.in_language(language)):
                for name in sorted(_placeholders(text) - known):
                    problems.append(
                        document.problem(place, f"{reply.id}: no contact is named {name!r}")
                    )
    return problems


def _placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}
