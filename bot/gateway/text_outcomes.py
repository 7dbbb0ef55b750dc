"""What a text from a phone causes: which words go out, and what is written down about it.

Keywords count first, but the safety screen reads every text, theirs too. The turns of the
assistant and of people are taken by `bot.gateway.turn`.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from bot.clinic.profile import Clinic
from bot.gateway.answering import Voice
from bot.gateway.channels import CHANNELS
from bot.gateway.guarantee import CRISIS_TIERS, HELP_NOW
from bot.gateway.in_flight import Answer
from bot.gateway.incoming import language_of
from bot.gateway.tokens import anyone
from bot.gateway.turn import Turns
from bot.safety.replies import is_crisis_response
from bot.sms.keywords import OF_PROVIDER, OPT_IN, OPT_OUT, Keywords, load_keywords
from bot.sms.reactions import reaction_in
from bot.sms.wording import load_words
from bot.store import StoreError
from bot.store.records import StoredMessage
from bot.store.sms_contacts import OPTED_IN, OPTED_OUT, Contact
from bot.store.sms_inbox import Received
from bot.store.sms_outbox import CONFIRMATION, CRISIS, HELP_ASKED, REPLY
from bot.turns import Button
from bot.vocabulary import CONCERN, LANGUAGES, SMS, TIER_CRISIS_OTHER

CRISIS_AGAIN = timedelta(hours=24)
"""After so long an opted-out number in danger is answered again."""

STOP_MESSAGES = "stop_messages"
"""The assistant's reply to a wish for no more messages, in whatever words."""


@dataclasses.dataclass(frozen=True)
class Own:
    """Words of our own that join the transcript.

    Attributes:
        response: names the reviewed text.
        choices: of the question before, which is still open.
    """

    text: str
    response: str
    choices: tuple[Button, ...] = ()


@dataclasses.dataclass
class Outcome:
    """What a text causes.

    Attributes:
        texts: what goes out, in order.
        kind: of these texts, see `bot.store.sms_outbox`.
        own: those of them that the transcript does not have yet.
        changes: columns of the contact.
        consent: kind, source and wording for the ledger.
    """

    texts: list[str] = dataclasses.field(default_factory=list)
    kind: str = REPLY
    own: list[Own] = dataclasses.field(default_factory=list)
    changes: dict[str, Any] = dataclasses.field(default_factory=dict)
    consent: tuple[str, str, str] | None = None
    answer: Answer | None = None


class Outcomes:
    """Decides what each text causes.

    Args:
        clinics: profiles by id.
        turns: answers messages.
    """

    def __init__(self, clinics: Mapping[str, Clinic], turns: Turns):
        self._clinics = clinics
        self._turns = turns
        self._keywords: Keywords = load_keywords()
        self._words = load_words()

    async def of(self, received: Received) -> Outcome:
        """What one text causes. Its turn is in the transcript afterwards.

        Raises:
            StoreError: the store failed; the same text can be tried again.
        """
        contact = received.contact
        reaction = reaction_in(received.text)
        told = await self._told(received) if reaction else []
        if reaction and reaction.is_to(each.text for each in told if each.direction == "out"):
            # Our words in quotes say nothing of the visitor: neither danger nor a wish.
            received = dataclasses.replace(received, text=reaction.unquoted)
        keyword = self._keywords.exact(received.text)
        handled = OF_PROVIDER.get(received.opt_out_type or "")
        if handled or keyword:
            # Exact keywords are no words of the conversation, but the screen has read them.
            answer = await self._take(received, Voice.NOBODY)
            return self._of_keyword(
                handled or keyword or "", received, answer, silent=handled is not None
            )
        if contact.opted_out is not None:
            return await self._of_opted_out(received)
        if reaction:
            return await self._of_a_reaction(received, told)
        if self._keywords.revokes(received.text):
            answer = await self._take(received, Voice.DANGER_ONLY)
            outcome = self._of_keyword(OPT_OUT, received, answer, silent=False)
            outcome.texts = [*(m.text for m in answer.messages), *outcome.texts]
            return outcome
        if contact.in_charge_until is not None and received.at < contact.in_charge_until:
            answer = await self._take(received, Voice.DANGER_ONLY)
            return Outcome([m.text for m in answer.messages], CRISIS, answer=answer)
        if received.media and not received.text:
            answer = await self._take(received, Voice.NOBODY)
            return self._introduced(self._saying("sms_media", received, answer), received)
        answer = await self._take(received, Voice.ASSISTANT)
        outcome = Outcome([m.text for m in answer.messages], answer=answer)
        said = answer.responses
        if any(is_crisis_response(each, TIER_CRISIS_OTHER) for each in said):
            outcome.kind = CRISIS
        elif STOP_MESSAGES in said:
            return self._of_a_wish_to_stop(outcome, received, answer)
        return self._introduced(outcome, received)

    # --- what each kind of text causes -------------------------------------------------------

    def _of_keyword(
        self, keyword: str, received: Received, answer: Answer, *, silent: bool
    ) -> Outcome:
        source = "provider" if silent else "text"
        out = received.contact.opted_out
        changes: dict[str, Any] = {}
        consent = None
        if keyword == OPT_OUT:
            name, kind = "sms_opted_out", CONFIRMATION
            if answer.state.tier in CRISIS_TIERS or answer.state.open_question in _ABOUT_DANGER:
                name = "sms_opted_out_danger"
            silent = silent or out is not None  # one confirmation only
            changes = {"opted_out": out or received.at}
            consent = (OPTED_OUT, source, received.text)
        elif keyword == OPT_IN:
            name, kind = "sms_opted_in", REPLY
            changes = {"opted_out": None, "crisis_answered": None}
            consent = (OPTED_IN, source, received.text)
        else:
            # Whoever asks for it gets it, opted out or not.
            name, kind = ("sms_help", REPLY) if out is None else ("sms_help_opted_out", HELP_ASKED)
        if silent:
            return Outcome(changes=changes, consent=consent, answer=answer)
        outcome = self._saying(name, received, answer)
        outcome.kind = kind
        outcome.changes = {**changes, "introduced": received.contact.introduced or received.at}
        outcome.consent = consent
        return outcome

    def _of_a_wish_to_stop(self, outcome: Outcome, received: Received, answer: Answer) -> Outcome:
        """The assistant understood that messages shall stop: ours, or something else?"""
        stops = self._keywords.means_texts(received.text)
        name = "sms_stopped" if stops else "sms_stop_unclear"
        own = self._own(name, received.contact, answer.state.language)
        outcome.own = [own]
        outcome.texts[-1:] = _together([*outcome.texts[-1:], own.text])
        if not stops:
            return self._introduced(outcome, received)
        outcome.kind = CONFIRMATION
        outcome.changes = {"opted_out": received.at, "introduced": received.at}
        outcome.consent = (OPTED_OUT, "assistant", received.text)
        return outcome

    async def _of_a_reaction(self, received: Received, told: list[StoredMessage]) -> Outcome:
        """A thumb or a heart is taken as read; only where an answer is awaited more is said."""
        answer = await self._take(received, Voice.DANGER_ONLY, may_answer=False)
        if answer.messages or received.contact.in_charge_until is not None:
            return Outcome([m.text for m in answer.messages], CRISIS, answer=answer)
        latest = itertools.takewhile(lambda each: each.direction == "out", reversed(told))
        crisis = any(is_crisis_response(each.response or "", TIER_CRISIS_OTHER) for each in latest)
        if crisis or answer.state.open_question in _ABOUT_DANGER:
            return self._saying("sms_reaction_danger", received, answer)
        if answer.state.open_question is not None:
            return self._saying("sms_reaction", received, answer)
        return Outcome(answer=answer)

    async def _of_opted_out(self, received: Received) -> Outcome:
        """Nothing is sent, but to somebody in danger, once a day."""
        last = received.contact.crisis_answered
        again = last is None or received.at - last >= CRISIS_AGAIN
        answer = await self._take(received, Voice.DANGER_ONLY if again else Voice.NOBODY)
        outcome = Outcome([m.text for m in answer.messages], CRISIS, answer=answer)
        if outcome.texts:
            outcome.changes = {"crisis_answered": received.at}
            own = self._own("sms_opted_out_crisis", received.contact, answer.state.language)
            outcome.own = [own]
            outcome.texts[-1:] = _together([outcome.texts[-1], own.text])
        return outcome

    def _introduced(self, outcome: Outcome, received: Received) -> Outcome:
        """The first answer to a number says who we are; crisis help comes before that."""
        if received.contact.introduced is not None or not outcome.texts:
            return outcome
        outcome.changes["introduced"] = received.at
        if outcome.answer and "greet" in outcome.answer.responses:
            return outcome
        language = outcome.answer.state.language if outcome.answer else LANGUAGES[0]
        own = self._own("sms_introduction", received.contact, language)
        outcome.own.append(own)
        if outcome.kind == CRISIS or (
            outcome.answer and _HELP.intersection(outcome.answer.responses)
        ):
            outcome.texts.append(own.text)
        else:
            outcome.texts[:1] = _together([own.text, outcome.texts[0]])
        return outcome

    def _saying(self, name: str, received: Received, answer: Answer) -> Outcome:
        language = self._keywords.language(received.text)
        language = language or language_of(received.text, answer.state.language)
        own = self._own(name, received.contact, language)
        if name in _QUESTION_STAYS:
            own = dataclasses.replace(own, choices=answer.offered)
        return Outcome([own.text], own=[own], answer=answer)

    def _own(self, name: str, contact: Contact, language: str) -> Own:
        profile = self._clinics[contact.clinic]
        if profile.phone:
            line = str(profile.phone.display)
            reach = self._words.text("sms_help_line", language, line=line)
        elif name in _OPTED_OUT:
            reach = ""  # a wish by text would not be answered
        else:
            reach = self._words.text("sms_help_no_line", language)
        text = self._words.text(name, language, "sms", clinic=profile.short_name, reach=reach)
        return Own(text.strip(), name)

    async def _told(self, received: Received) -> list[StoredMessage]:
        """The conversation so far, both sides."""
        return await self._turns.transcript(received.contact.conversation, after=0, allowed=anyone)

    async def _take(self, received: Received, voice: Voice, may_answer: bool = True) -> Answer:
        answer = await self._turns.take(
            received.contact.conversation,
            now=received.at,
            text=received.text,
            message_id=received.sid,
            voice=voice,
            known_phone=received.contact.number,
            may_answer=may_answer,
        )
        if not answer.kept:
            raise StoreError("the turn could not be written down")
        return answer


_ABOUT_DANGER = (CONCERN, "safety_now")  # questions about it
# The one before is still meant.
_QUESTION_STAYS = ("sms_help", "sms_media", "sms_reaction", "sms_reaction_danger")
_OPTED_OUT = ("sms_help_opted_out", "sms_opted_out_crisis")
# Help that stands before who we are, like the crisis replies.
_HELP = frozenset(["concern_check", "concern_check_again", HELP_NOW])


def _together(texts: list[str]) -> list[str]:
    """These texts as one, if that is short enough."""
    one = "\n".join(texts)
    return [one] if len(one) <= (CHANNELS[SMS].most_characters or 0) else texts
