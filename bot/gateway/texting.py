"""Texts from phones, worked off: what each of them causes, in order of arrival.

A text is committed to the inbox before it is acknowledged (`accept`), and answered after
that (`work_off`), one at a time for each number. The answer goes to the outbox in the
transaction that takes the text out of the inbox; `bot.worker.texts` sends it. What a crash
leaves in the inbox is worked off at the next start.
"""

from __future__ import annotations

import asyncio
import dataclasses
import secrets
import sys
import traceback
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, TypeVar

import sqlalchemy as sa
import structlog

from bot.clinic.profile import Clinic
from bot.gateway.in_flight import Answer
from bot.gateway.incoming import language_of
from bot.gateway.turn import Turns, Voice
from bot.safety.replies import is_crisis_response
from bot.sms import keywords
from bot.sms.delivery import NOT_DELIVERED, OPTED_OUT_CODES, reason_of
from bot.sms.keywords import HELP, OF_PROVIDER, OPT_IN, OPT_OUT, Keywords, load_keywords
from bot.sms.wording import load_words
from bot.store import Audit, Conversations, Messages, StoreError, reading, writing
from bot.store.records import Conversation, OfferedButton, Outgoing
from bot.store.sms import (
    CONFIRMATION,
    CRISIS,
    EVEN_OPTED_OUT,
    OPTED_IN,
    OPTED_OUT,
    REPLY,
    WROTE_FIRST,
    Arrival,
    Contact,
    Received,
    SmsContacts,
    SmsInbox,
    SmsOutbox,
    Text,
    opted_out,
)
from bot.turns import Button, TurnState
from bot.vocabulary import LANGUAGES, SMS, TIER_CRISIS_OTHER

ACCEPT_SECONDS = 0.8
"""For committing a text: it is acknowledged within a second."""

MOST_A_DAY = 200
"""Texts to one number in 24 hours; more is a machine that answers a machine."""

CRISIS_AGAIN = timedelta(hours=24)
"""After so long an opted-out number in danger is answered again."""

_LOOK_SECONDS = 5.0  # between looks for texts that could not be answered at once
_AT_ONCE = 8  # numbers whose texts are being answered
_BATCH = 50  # texts that are committed together
_DAY = timedelta(hours=24)
_ONE_TEXT = 320  # characters; a reply is one text where it fits

log = structlog.get_logger("handrail.sms")
Result = TypeVar("Result")


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
        kind: of these texts, see `bot.store.sms`.
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


@dataclasses.dataclass(frozen=True)
class _Waiting:
    """A text that waits to be committed; `kept` is its conversation then."""

    arrival: Arrival
    kept: asyncio.Future[str]


class _TooLateError(Exception):
    """Somebody has waited too long while this was written; nothing of it is kept."""


class Texting:
    """Answers texts.

    Args:
        clinics: profiles by id.
        turns: answers messages.
        engine: the store.
        clock: gives the present time, zone-aware.
    """

    def __init__(
        self,
        *,
        clinics: Mapping[str, Clinic],
        turns: Turns,
        engine: sa.engine.Engine,
        clock: Callable[[], datetime],
    ):
        self._clinics = clinics
        self._turns = turns
        self._engine = engine
        self._clock = clock
        self._keywords: Keywords = load_keywords()
        self._words = load_words()
        self._at_work: dict[str, asyncio.Task[None]] = {}
        # More at once would only wait for the store, and no longer than a web chat may.
        self._room = asyncio.Semaphore(_AT_ONCE)
        self._again: set[str] = set()  # texts came while somebody was at work
        self._accepted: list[_Waiting] = []  # arrived, and not committed yet
        self._accepting: asyncio.Task[None] | None = None
        # A thread of its own: an acknowledgement must not wait behind turns.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="accept-sms")

    async def accept(self, arrival: Arrival) -> str:
        """Commit a text, and begin with its answer; returns the conversation's id.

        A message or delivery that is here already changes nothing.

        Raises:
            StoreError: it could not be committed in time, and is not.
        """
        waiting = _Waiting(arrival, asyncio.get_running_loop().create_future())
        self._accepted.append(waiting)
        if self._accepting is None:
            self._accepting = asyncio.create_task(self._accept_all())
        try:
            conversation = await asyncio.wait_for(waiting.kept, ACCEPT_SECONDS)
        except asyncio.TimeoutError:
            raise StoreError("the store is too slow") from None
        self._begin(conversation)
        return conversation

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """While inside, what waits in the inbox is worked off, again and again."""
        looking = asyncio.create_task(self._look())
        try:
            yield
        finally:
            looking.cancel()
            for task in [*self._at_work.values()]:
                task.cancel()
            await asyncio.gather(looking, *self._at_work.values(), return_exceptions=True)
            self._thread.shutdown()

    async def work_off(self, conversation: str) -> list[Outcome]:
        """Answer every text of this conversation that waits, the oldest first.

        Raises:
            StoreError: the rest waits until the store is back.
        """
        outcomes: list[Outcome] = []
        while True:
            received = await _in_thread(lambda: self._next(conversation))
            if received is None:
                return outcomes
            if not received.has_conversation:
                await _in_thread(lambda: self._open(received))  # noqa: B023
            outcome = await self.outcome_of(received)
            await _in_thread(lambda: self._keep(received, outcome))  # noqa: B023
            self._turns.watch.news(conversation)
            outcomes.append(outcome)

    async def answer(self, arrival: Arrival, language: str | None = None) -> Outcome:
        """Keep and answer one text at once, where nobody waits for an acknowledgement.

        Args:
            language: "en" or "es" if it was chosen outside the conversation.
        """

        def keep() -> Received:
            with writing(self._engine) as db:
                [conversation] = SmsInbox(db).add([arrival], arrival.at)
                received = SmsInbox(db).next(conversation)
            if received is None:
                raise StoreError("this text is here already")
            return received

        received = await _in_thread(keep)
        if not received.has_conversation:
            await _in_thread(lambda: self._open(received, language))
        outcome = await self.outcome_of(received)
        await _in_thread(lambda: self._keep(received, outcome))
        return outcome

    def told(self, identity: str, status: str, code: str | None) -> None:
        """The provider says where a text of ours is.

        Args:
            identity: our id of the text.
            status: the provider's word, in whatever order it comes.
            code: its number for what went wrong.

        Raises:
            StoreError: it could not be kept.
        """
        now = self._clock()
        with writing(self._engine) as db:
            conversation = SmsOutbox(db).told(identity, status, code)
            if conversation is not None and code in OPTED_OUT_CODES:
                opted_out(db, conversation, code or "", now)
        if conversation is not None and status in NOT_DELIVERED:
            log.error("text not delivered", text=identity, reason=reason_of(code or "no code"))

    async def outcome_of(self, received: Received) -> Outcome:
        """What one text causes. Its turn is in the transcript afterwards.

        Raises:
            StoreError: the store failed; the same text can be tried again.
        """
        contact = received.contact
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
        if any(is_crisis_response(m.response, TIER_CRISIS_OTHER) for m in answer.messages):
            outcome.kind = CRISIS
        return self._introduced(outcome, received)

    # --- what each kind of text causes -------------------------------------------------------

    def _of_keyword(
        self, keyword: str, received: Received, answer: Answer, *, silent: bool
    ) -> Outcome:
        source = "provider" if silent else "text"
        changes: dict[str, Any] = {}
        consent = None
        name = {OPT_OUT: "sms_opted_out", OPT_IN: "sms_opted_in", HELP: "sms_help"}[keyword]
        if keyword == OPT_OUT:
            silent = silent or received.contact.opted_out is not None  # one confirmation only
            changes = {"opted_out": received.contact.opted_out or received.at}
            consent = (OPTED_OUT, source, received.text)
        elif keyword == OPT_IN:
            changes = {"opted_out": None, "crisis_answered": None}
            consent = (OPTED_IN, source, received.text)
        else:
            # Opted out means that nothing is sent; Twilio's own HELP still works.
            silent = silent or received.contact.opted_out is not None
        if silent:
            return Outcome(changes=changes, consent=consent, answer=answer)
        outcome = self._saying(name, received, answer)
        outcome.kind = CONFIRMATION if keyword == OPT_OUT else REPLY
        outcome.changes = {**changes, "introduced": received.contact.introduced or received.at}
        outcome.consent = consent
        return outcome

    async def _of_opted_out(self, received: Received) -> Outcome:
        """Nothing is sent, but to somebody in danger, once a day."""
        last = received.contact.crisis_answered
        again = last is None or received.at - last >= CRISIS_AGAIN
        answer = await self._take(received, Voice.DANGER_ONLY if again else Voice.NOBODY)
        outcome = Outcome([m.text for m in answer.messages], CRISIS, answer=answer)
        if outcome.texts:
            outcome.changes = {"crisis_answered": received.at}
        return outcome

    def _introduced(self, outcome: Outcome, received: Received) -> Outcome:
        """The first answer to a number says who we are; crisis help comes before that."""
        if received.contact.introduced is not None or not outcome.texts:
            return outcome
        outcome.changes["introduced"] = received.at
        said = [m.response for m in outcome.answer.messages] if outcome.answer else []
        if "greet" in said:
            return outcome
        language = outcome.answer.state.language if outcome.answer else LANGUAGES[0]
        own = self._own("sms_introduction", received.contact, language)
        outcome.own.append(own)
        if outcome.kind == CRISIS:
            outcome.texts.append(own.text)
        elif len(own.text) + 1 + len(outcome.texts[0]) <= _ONE_TEXT:
            outcome.texts[0] = f"{own.text}\n{outcome.texts[0]}"
        else:
            outcome.texts.insert(0, own.text)
        return outcome

    def _saying(self, name: str, received: Received, answer: Answer) -> Outcome:
        language = language_of(received.text, answer.state.language)
        if keywords.plain(received.text) in _SPANISH_KEYWORDS:
            language = "es"
        own = self._own(name, received.contact, language)
        own = dataclasses.replace(own, choices=answer.offered)
        return Outcome([own.text], own=[own], answer=answer)

    def _own(self, name: str, contact: Contact, language: str) -> Own:
        profile = self._clinics[contact.clinic]
        if profile.phone:
            line = str(profile.phone.display)
            reach = self._words.text("sms_help_line", language, line=line)
        else:
            reach = self._words.text("sms_help_no_line", language)
        text = self._words.text(name, language, "sms", clinic=profile.short_name, reach=reach)
        return Own(text, name)

    # --- the store ---------------------------------------------------------------------------

    async def _accept_all(self) -> None:
        """Commit what has arrived, all of it in one transaction, until nothing is left."""
        loop = asyncio.get_running_loop()
        while self._accepted:
            batch, self._accepted = self._accepted[:_BATCH], self._accepted[_BATCH:]
            try:
                kept = await loop.run_in_executor(self._thread, self._commit, batch)
            except Exception as error:
                for each in batch:
                    if not each.kept.done():
                        each.kept.set_exception(_as_store_error(error))
                continue
            for each, conversation in kept:
                if not each.kept.done():
                    each.kept.set_result(conversation)
        self._accepting = None

    def _commit(self, batch: list[_Waiting]) -> list[tuple[_Waiting, str]]:
        while True:
            # Who has waited too long is answered without the store, and not again by it.
            batch = [each for each in batch if not each.kept.done()]
            try:
                with writing(self._engine) as db:
                    arrivals = [each.arrival for each in batch]
                    kept = SmsInbox(db).add(arrivals, self._clock())
                    if any(each.kept.done() for each in batch):
                        raise _TooLateError
                return list(zip(batch, kept, strict=True))
            except _TooLateError:
                continue

    async def _take(self, received: Received, voice: Voice) -> Answer:
        answer = await self._turns.take(
            received.contact.conversation,
            now=received.at,
            text=received.text,
            message_id=received.sid,
            voice=voice,
            known_phone=received.contact.number,
        )
        if any(message.seq is None for message in answer.messages):
            raise StoreError("the turn could not be written down")
        return answer

    def _next(self, conversation: str) -> Received | None:
        with reading(self._engine) as db:
            return SmsInbox(db).next(conversation)

    def _open(self, received: Received, language: str | None = None) -> None:
        """The first text of a number, or the first after its conversation was deleted."""
        contact, at = received.contact, received.at
        # A first "hello" is too short for the brain to know its language.
        language = language or language_of(received.text, otherwise="") or None
        state = TurnState(language=language or LANGUAGES[0])
        with writing(self._engine) as db:
            Conversations(db).add(
                Conversation(contact.conversation, contact.clinic, SMS, None, language, at, state)
            )

    def _keep(self, received: Received, outcome: Outcome) -> None:
        """The answer into the outbox, and the text out of the inbox, in one transaction."""
        contact, now = received.contact, self._clock()
        with writing(self._engine) as db:
            for own in outcome.own:
                still = tuple(OfferedButton(secrets.token_urlsafe(12), c) for c in own.choices)
                said = Outgoing(own.text, own.response, still, now)
                Messages(db).add_outgoing(contact.conversation, said, None)
            outbox = SmsOutbox(db)
            if "opted_out" in outcome.changes and outcome.changes["opted_out"] is not None:
                outbox.cancel(contact.conversation, "no texts are wanted any more", now)
            written = outbox.written_since(contact.conversation, now - _DAY)
            for number, text in enumerate(outcome.texts):
                if written + number >= MOST_A_DAY and outcome.kind not in EVEN_OPTED_OUT:
                    log.error("too many texts to one number", conversation=contact.conversation)
                    break
                key = f"{received.sid}:{number}"
                outbox.add(contact.conversation, Text(key, outcome.kind, text), now)
            SmsContacts(db).change(contact.conversation, now, **outcome.changes)
            if contact.introduced is None and "introduced" in outcome.changes:
                SmsContacts(db).consent(
                    contact.conversation, WROTE_FIRST, "text", "\n".join(outcome.texts), now
                )
            if outcome.consent is not None:
                kind, source, wording = outcome.consent
                SmsContacts(db).consent(contact.conversation, kind, source, wording, received.at)
                Audit(db).add(
                    actor="visitor", action=f"sms.{kind}", subject=contact.conversation, at=now
                )
            SmsInbox(db).done(received, now)

    # --- the work -----------------------------------------------------------------------------

    def _begin(self, conversation: str) -> None:
        """Work off this conversation; who is at it already looks once more."""
        if conversation in self._at_work:
            self._again.add(conversation)
            return
        task = asyncio.create_task(self._work(conversation))
        self._at_work[conversation] = task

    async def _work(self, conversation: str) -> None:
        try:
            async with self._room:
                await self.work_off(conversation)
        except Exception as error:
            # Whatever it is: the text stays in the inbox and is tried again by `_look`.
            _log_trouble(conversation, error)
            self._again.discard(conversation)
        finally:
            del self._at_work[conversation]
        if conversation in self._again:
            self._again.discard(conversation)
            self._begin(conversation)

    async def _look(self) -> None:
        """Begin with what waits: after a start, and after trouble."""
        while True:
            try:
                for conversation in await _in_thread(self._waiting):
                    self._begin(conversation)
            except (StoreError, asyncio.TimeoutError) as error:
                _log_trouble("", error)
            await asyncio.sleep(_LOOK_SECONDS)

    def _waiting(self) -> list[str]:
        with reading(self._engine) as db:
            return SmsInbox(db).waiting()


_SPANISH_KEYWORDS = frozenset(
    ["alto", "parar", "pare", "cancelar", "baja", "comenzar", "empezar", "ayuda", "informacion"]
) | {"darse de baja"}


def _as_store_error(error: Exception) -> StoreError:
    return error if isinstance(error, StoreError) else StoreError(type(error).__name__)


async def _in_thread(work: Callable[[], Result]) -> Result:
    return await asyncio.to_thread(work)


def _log_trouble(conversation: str, error: BaseException) -> None:
    """Say what failed and where, without the error's text unless it is our own."""
    frames = traceback.extract_tb(sys.exc_info()[2])
    where = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else None
    reason = str(error) if isinstance(error, StoreError) else None
    log.error(
        "trouble", conversation=conversation, kind=type(error).__name__, reason=reason, where=where
    )
