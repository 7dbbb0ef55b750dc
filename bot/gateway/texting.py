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
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import TypeVar

import sqlalchemy as sa
import structlog

from bot.clinic.profile import Clinic
from bot.gateway.text_outcomes import Outcome, Outcomes
from bot.gateway.turn import Turns
from bot.gateway.unanswered import Unanswered
from bot.handoff.lost_text import tell_of_lost_text
from bot.sending import Provider
from bot.sms.delivery import NOT_DELIVERED, OPTED_OUT_CODES, reason_of
from bot.store import Audit, Conflict, Conversations, Messages, StoreError, reading, writing
from bot.store.records import Conversation, OfferedButton, Outgoing
from bot.store.sms_contacts import WROTE_FIRST, SmsContacts
from bot.store.sms_inbox import Arrival, Received, SmsInbox
from bot.store.sms_outbox import CONFIRMATION, CRISIS, REPLY, SmsOutbox, Text, opted_out
from bot.trouble import about
from bot.turns import TurnState
from bot.vocabulary import LANGUAGES, SMS

ACCEPT_SECONDS = 0.8
"""For committing a text: it is acknowledged within a second."""

STORE_SECONDS = 10.0
"""For everything else that is asked of the store, which itself gives up earlier."""

MOST_A_DAY = 200
"""Texts to one number in 24 hours; more is a machine that answers a machine."""

_LOOK_SECONDS = 5.0  # between looks for texts that could not be answered at once
_AT_ONCE = 8  # numbers whose texts are being answered
_BATCH = 50  # texts that are committed together
_DAY = timedelta(hours=24)
_EVEN_TOO_MANY = (CONFIRMATION, CRISIS)

log = structlog.get_logger("handrail.sms")
Result = TypeVar("Result")


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
        holder: names this gateway among those that work on one database.
        provider: takes texts when the store has failed; None where no account is set.
    """

    def __init__(
        self,
        *,
        clinics: Mapping[str, Clinic],
        turns: Turns,
        engine: sa.engine.Engine,
        clock: Callable[[], datetime],
        holder: str,
        provider: Provider | None = None,
    ):
        self._clinics = clinics
        self._turns = turns
        self._engine = engine
        self._clock = clock
        self._holder = holder
        self._outcomes = Outcomes(clinics, turns)
        self._unanswered = Unanswered(clinics, turns, provider, clock)
        self._at_work: dict[str, asyncio.Task[None]] = {}
        # More at once would only wait for the store, and no longer than a web chat may.
        self._room = asyncio.Semaphore(_AT_ONCE)
        self._again: set[str] = set()  # texts came while somebody was at work
        self._accepted: list[_Waiting] = []  # arrived, and not committed yet
        self._accepting: asyncio.Task[None] | None = None
        # Threads of their own: an acknowledgement must not wait behind turns, and help that
        # goes without the store not behind a store that is stuck.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="accept-sms")
        self._speaking = ThreadPoolExecutor(1, thread_name_prefix="speak-sms")

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
        self._unanswered.add(arrival, conversation)
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
            self._speaking.shutdown(wait=False)
            try:
                await _in_thread(self._release)
            except StoreError as error:
                log.error("trouble", **about(error))  # the leases run out by themselves

    async def work_off(self, conversation: str) -> list[Outcome]:
        """Answer every text of this conversation that waits, the oldest first.

        None of them while another gateway is at work on this number.

        Raises:
            StoreError: the rest waits until the store is back.
        """
        outcomes: list[Outcome] = []
        received = await _in_thread(lambda: self._take(conversation))
        if received is None and conversation not in self._again:
            self._unanswered.left_to_others(conversation)
        while received is not None:
            outcome, received = await self._answer(received)
            self._turns.watch.news(conversation)
            outcomes.append(outcome)
        return outcomes

    async def answer(self, arrival: Arrival, language: str | None = None) -> Outcome:
        """Keep and answer one text at once, where nobody waits for an acknowledgement.

        Args:
            language: "en" or "es" if it was chosen outside the conversation.
        """

        def keep() -> Received:
            with writing(self._engine) as db:
                [conversation] = SmsInbox(db).add([arrival], arrival.at)
                received = SmsInbox(db).take(conversation, self._holder, self._clock())
            if received is None:
                raise StoreError("this text is here already")
            return received

        outcome, _ = await self._answer(await _in_thread(keep), language)
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
            news = SmsOutbox(db).told(identity, status, code)
            if news is None:
                return
            conversation, kind = news
            unwanted = code in OPTED_OUT_CODES
            if unwanted:
                opted_out(db, conversation, code or "", now)
            lost = status in NOT_DELIVERED
            # That an answer does not reach who wants no texts is as it should be.
            if lost and not (unwanted and kind == REPLY):
                tell_of_lost_text(db, self._clinics, conversation, kind, now)
        if lost:
            log.error("text not delivered", sms=identity, reason=reason_of(code or "no code"))

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
            except (_TooLateError, Conflict):
                # Another gateway may have met a number, or a repeated text, at this moment.
                continue

    async def _answer(
        self, received: Received, language: str | None = None
    ) -> tuple[Outcome, Received | None]:
        """What a text causes, written down, and the next text of its number."""
        if not received.has_conversation:
            await _in_thread(lambda: self._open(received, language))
        outcome = await self._outcomes.of(received)
        following = await _in_thread(lambda: self._keep(received, outcome))
        self._unanswered.answered(received.sid)
        return outcome, following

    def _take(self, conversation: str) -> Received | None:
        with writing(self._engine) as db:
            return SmsInbox(db).take(conversation, self._holder, self._clock())

    def _open(self, received: Received, language: str | None = None) -> None:
        """The first text of a number, or the first after its conversation was deleted."""
        contact, at = received.contact, received.at
        state = TurnState(language=language or LANGUAGES[0])
        with writing(self._engine) as db:
            Conversations(db).add(
                Conversation(contact.conversation, contact.clinic, SMS, None, language, at, state)
            )

    def _keep(self, received: Received, outcome: Outcome) -> Received | None:
        """The answer into the outbox, and the text out of the inbox, in one transaction.

        Returns:
            The next text of this number; without one its lease is over.
        """
        contact, now = received.contact, self._clock()
        with writing(self._engine) as db:
            for own in outcome.own:
                still = tuple(OfferedButton(secrets.token_urlsafe(12), c) for c in own.choices)
                said = Outgoing(own.text, own.response, still, now)
                Messages(db).add_outgoing(contact.conversation, said, None)
            outbox = SmsOutbox(db)
            if "opted_out" in outcome.changes and outcome.changes["opted_out"] is not None:
                outbox.cancel(contact.conversation, now)
            written = outbox.written_since(contact.conversation, now - _DAY)
            for number, text in enumerate(outcome.texts):
                if written + number >= MOST_A_DAY and outcome.kind not in _EVEN_TOO_MANY:
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
            SmsInbox(db).done(received, self._holder, now)
            return SmsInbox(db).take(contact.conversation, self._holder, now)

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
            log.error("trouble", conversation=conversation, **about(error))
            self._again.discard(conversation)
            self._unanswered.failed(conversation)
            await self._speak()
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
                    if conversation not in self._at_work:
                        self._begin(conversation)
            except Exception as error:
                # Whatever it is: the next look comes.
                log.error("trouble", **about(error))
            await self._speak()
            await asyncio.sleep(_LOOK_SECONDS)

    async def _speak(self) -> None:
        """Whoever has waited too long for an answer hears from us without the store."""
        due = self._unanswered.take_due()
        if not due:
            return
        answered: set[str] = set()
        try:
            answered = await _in_thread(lambda: self._answered(due))
        except StoreError as error:
            log.error("trouble", **about(error))
        loop = asyncio.get_running_loop()
        for each in due:
            if each.sid not in answered:
                await loop.run_in_executor(self._speaking, self._unanswered.speak, each)

    def _answered(self, arrivals: list[Arrival]) -> set[str]:
        with reading(self._engine) as db:
            return SmsInbox(db).answered([each.sid for each in arrivals])

    def _release(self) -> None:
        with writing(self._engine) as db:
            SmsInbox(db).release(self._holder)

    def _waiting(self) -> list[str]:
        with reading(self._engine) as db:
            return SmsInbox(db).waiting(self._holder, self._clock())


def _as_store_error(error: Exception) -> StoreError:
    return error if isinstance(error, StoreError) else StoreError(type(error).__name__)


async def _in_thread(work: Callable[[], Result]) -> Result:
    """Run blocking `work` beside the event loop; raises StoreError when too slow."""
    try:
        return await asyncio.wait_for(asyncio.to_thread(work), STORE_SECONDS)
    except asyncio.TimeoutError:
        raise StoreError("the store is too slow") from None
