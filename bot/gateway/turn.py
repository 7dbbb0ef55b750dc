"""The path of a message, read from top to bottom in `Turns.take`.

Whatever fails on the way, the visitor gets an answer: crisis help if the message
signals danger, otherwise an apology with the phone line and the crisis lines.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import enum
import functools
import hashlib
import hmac
import math
import secrets
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Protocol, TypeVar

import sqlalchemy as sa
import structlog

from bot.clinic.profile import Clinic
from bot.gateway.brain import Brain, BrainError
from bot.gateway.channels import CHANNELS, Channel, Rendered
from bot.gateway.events import NO_SUCH_CONVERSATION, Watch, read_transcript
from bot.gateway.guarantee import CRISIS_TIERS, HELP_NOW, calls_a_line, is_kept
from bot.gateway.in_flight import UNREAD, Answer, InFlight, Memory, Opened, Shown
from bot.gateway.incoming import BRAIN_CHARACTERS, for_brain, language_of, normalise
from bot.gateway.limits import WITHIN_LIMITS, Pace
from bot.gateway.neighbours import Neighbours
from bot.gateway.order import Order, Place
from bot.gateway.origins import OWN
from bot.gateway.own_words import OwnWords
from bot.gateway.refused import Refused
from bot.handoff.desk import HandoffDesk
from bot.handoff.records import crisis_record
from bot.safety.reading import Reading
from bot.store import (
    Alerts,
    Audit,
    Buttons,
    Conflict,
    Conversations,
    Messages,
    StoreError,
    TrackerEvents,
    reading,
    writing,
)
from bot.store.casework import Casework
from bot.store.engine import empty_write_ahead_log
from bot.store.erase import CRISIS_KEPT, erase
from bot.store.records import (
    Alert,
    Conversation,
    Incoming,
    OfferedButton,
    Outgoing,
    StoredMessage,
)
from bot.turns import BotMessage, Button, TurnReply, TurnRequest, TurnState
from bot.vocabulary import (
    CONCERN,
    HANDOFF_CRISIS,
    HANDOFF_NONE,
    LANGUAGES,
    TIER_CONCERN,
    TIER_CRISIS_SELF,
    TIER_NONE,
    TIERS,
    higher_tier,
    tier_at_least,
)

DEADLINE = 3.0  # seconds from a message's arrival to the end of waiting for the brain
# Many at once: a calm message waits longer than that as long as others are being answered.
# An answer after five seconds serves a visitor better than an apology after three; danger
# never waits longer. Below the ten seconds after which the widget asks again.
PATIENCE = 8.0
_LOOK_SECONDS = 0.1  # between looks whether it should still be patient
_STANDSTILL_SECONDS = 1.0  # without any answer of the brain; then nobody waits on
# Two cores answer some 60 turns a second; whoever came after so many would not be
# answered in time, and is told so at once by ourselves.
MOST_ASKING = 300
_MOST_LABELS = 1000  # of choices, whose reading is remembered
STORE_SECONDS = 2.0  # for writing down a finished turn


class Voice(enum.Enum):
    """Who answers a message. Whoever does, it is read, kept, and danger is told to staff."""

    ASSISTANT = "assistant"
    # A person is in charge, or no texts are wanted. Without choices: nobody would answer them.
    DANGER_ONLY = "danger only"
    NOBODY = "nobody"


log = structlog.get_logger("handrail.gateway")
Result = TypeVar("Result")


class Screen(Protocol):
    """The safety screen, `bot.safety.screen.Screen`."""

    def read(self, text: str) -> Reading:
        """What the screen says about one message."""
        ...


def anyone(_: Conversation) -> bool:
    """Accept every caller: SMS and in-process callers prove elsewhere who they are."""
    return True


def owner_of(token: str, origin: str = OWN) -> Callable[[Conversation], bool]:
    """Accept only the visitor to whom `token` was issued, on the website it was issued on."""
    digest = _digest(token, origin)
    return lambda found: (
        bool(found.token_hash) and hmac.compare_digest(digest, found.token_hash or "")
    )


class Turns:
    """Takes messages and gives answers, for every channel.

    Args:
        clinics: profiles by id.
        screen: the safety screen.
        words: what the gateway says by itself.
        engine: the store, see `bot.store`.
        brain: answers the turns.
        deadline: seconds from arrival to the end of waiting for the brain.
        patience: the same for a calm message while the brain answers others.
        neighbours: other gateways on the same store; none by default.
        encoded: what the screen's sentence encoder read of a text, for a brain in another
            process (`bot.nlu.sentence_encoder.hand_over`).

    Attributes:
        watch: tells who looks on; whoever writes in a conversation calls its `news`.
    """

    def __init__(
        self,
        *,
        clinics: Mapping[str, Clinic],
        screen: Screen,
        words: OwnWords,
        engine: sa.engine.Engine,
        brain: Brain,
        deadline: float = DEADLINE,
        patience: float = PATIENCE,
        neighbours: Neighbours | None = None,
        encoded: Callable[[str], str | None] = lambda _: None,
    ):
        self._clinics = clinics
        self._screen = screen
        self._words = words
        self._engine = engine
        self._brain = brain
        self._encoded = encoded
        self._deadline = deadline
        self._patience = patience
        self._hurried: Counter[str] = Counter()  # conversations in which danger waits
        self._labels: dict[str, Reading] = {}
        self._answered = -math.inf  # when the brain last answered anybody
        self._order = Order(neighbours)
        self._desk = HandoffDesk(engine, clinics)
        self._asking = 0  # turns that are with the brain
        self.watch = Watch(neighbours)

    async def open(
        self,
        clinic: str,
        channel: str = "web",
        *,
        now: datetime,
        language: str | None = None,
        greet_in: str = "en",
        origin: str = OWN,
    ) -> Opened:
        """Begin a conversation and greet.

        Without a store the conversation is answered all the same, by words of our
        own; later messages of it are refused as unknown once the store is back.

        Args:
            clinic: clinic id.
            channel: a member of `bot.vocabulary.CHANNELS`.
            now: zone-aware.
            language: "en" or "es" if the visitor chose one.
            greet_in: the likely language where none was chosen; the first message decides.
            origin: the website on which it takes place, see `bot.gateway.origins`.

        Raises:
            Refused: there is no such clinic.
        """
        if clinic not in self._clinics:
            raise Refused(422, f"there is no clinic {clinic!r} here")
        token = secrets.token_urlsafe(16)
        conversation = Conversation(
            id=f"{clinic}.{secrets.token_hex(16)}",
            clinic=clinic,
            channel=channel,
            token_hash=_digest(token, origin),
            chosen_language=language,
            created=now,
            state=TurnState(language=language or greet_in),
        )
        speech = language or greet_in
        rendered = CHANNELS[channel].render(self._words.greeting(clinic, channel, speech))

        def write() -> list[Shown]:
            with writing(self._engine) as db:
                Conversations(db).add(conversation)
                greeting = _outgoing(rendered, now)
                return _shown(Messages(db).add_answer(conversation.id, greeting, None, 0), greeting)

        try:
            shown = await _in_thread(write, STORE_SECONDS)
        except (StoreError, asyncio.TimeoutError) as error:
            _log_trouble(conversation.id, error)
            sorry = self._words.unavailable(
                clinic=clinic, channel=channel, language=speech, now=now
            )
            shown = _unsaved(CHANNELS[channel], [sorry])
        return Opened(conversation.id, token, Answer(shown, conversation.state))

    async def take(
        self,
        conversation: str,
        *,
        now: datetime,
        text: str | None = None,
        button: str | None = None,
        button_label: str | None = None,
        help_now: bool = False,
        message_id: str | None = None,
        language: str | None = None,
        allowed: Callable[[Conversation], bool] = anyone,
        pace: Pace = WITHIN_LIMITS,
        voice: Voice = Voice.ASSISTANT,
        known_phone: str | None = None,
        may_answer: bool = True,
    ) -> Answer:
        """Answer one message.

        Args:
            conversation: its id, from `open`.
            now: zone-aware; frozen for this turn.
            text, button, button_label, help_now: one of: what was typed; the opaque
                id of the pressed button; its label; the help button.
            message_id: the sender's id of the message; the same id gets the same
                answer again. A new one is made up if there is none.
            language: "en" or "es" if the visitor chose one outside the chat.
            allowed: whether the caller may write in this conversation.
            pace: what the sender's limits leave, see `bot.gateway.limits`.
            voice: who answers; the answer may have no messages unless the assistant does.
            known_phone: the number that the channel knows, E.164.
            may_answer: False for what answers no question, a thumb on a message say.

        Raises:
            Refused: no such conversation or not the caller's; an unknown button; too
                fast, and the message signals no danger.
        """
        if not pace.read:
            return self._unread(conversation, language)
        turn = InFlight(
            conversation=conversation,
            message_id=message_id or secrets.token_urlsafe(12),
            now=now,
            ends=asyncio.get_running_loop().time() + self._deadline,
            allowed=allowed,
            text=normalise(text or ""),
            button_id=button,
            button_label=button_label,
            chosen_language=language,
            known_phone=known_phone,
            may_answer=may_answer,
        )
        if help_now:
            turn.pressed = self._help_button(turn)
            turn.text = turn.pressed.label
        started = asyncio.get_running_loop().time()
        async with self._order.join(conversation) as place:
            try:
                await self._read(turn)
                with self._hurrying(turn):
                    await self._wait_and_remember(turn, place)
                if turn.memory and turn.memory.answered is not None:
                    return _again(turn.memory.answered, turn.memory.conversation.state)
                self._press(turn)
                if pace.wait:
                    self._only_if_urgent(turn, pace.wait)
                elif voice is Voice.ASSISTANT:
                    await self._ask_brain(turn)
            except Refused:
                raise
            except Exception as error:
                # Whatever it is, the visitor gets an answer; the log says what it was.
                turn.trouble = type(error).__name__
                _log_trouble(conversation, error)
            self._answer(turn, voice)
            await self._keep(turn, voice)
        self.watch.news(conversation)
        log.info(
            "turn",
            conversation=conversation,
            channel=turn.channel.name,
            tier=turn.tier,
            screen_failed=turn.reading.failed,
            responses=[message.response for message in turn.messages],
            brain="answered" if turn.reply else turn.trouble or "not asked",
            replaced=turn.replaced,
            milliseconds=round((asyncio.get_running_loop().time() - started) * 1000),
        )
        said = tuple(message.response for message in turn.messages)
        return Answer(turn.shown, turn.state, tuple(turn.offered), said)

    async def transcript(
        self, conversation: str, *, after: int, allowed: Callable[[Conversation], bool]
    ) -> list[StoredMessage]:
        """The messages after number `after`, both directions.

        Raises:
            Refused: no such conversation, or not the caller's.
            StoreError: the store cannot be read.
        """

        read = functools.partial(read_transcript, self._engine, conversation, after, allowed)
        try:
            return await _in_thread(read, STORE_SECONDS)
        except asyncio.TimeoutError:
            raise StoreError("the store is too slow") from None

    async def end(
        self, conversation: str, *, now: datetime, allowed: Callable[[Conversation], bool]
    ) -> None:
        """End a conversation for good, after the messages that are being answered.

        Args:
            now: zone-aware, for the audit.
            allowed: whether the caller may end it.

        Raises:
            Refused: no such conversation, or not the caller's.
            StoreError: it could not be ended; nothing has changed.
        """

        def end() -> None:
            with writing(self._engine) as db:
                found = Conversations(db).find(conversation)
                if found is None or not allowed(found):
                    raise Refused(404, NO_SUCH_CONVERSATION)
                Conversations(db).end(conversation)
                Audit(db).add(
                    actor="visitor", action="conversation.ended", subject=conversation, at=now
                )
            empty_write_ahead_log(self._engine)

        async with self._order.join(conversation) as place:
            if not await place.reached(STORE_SECONDS):
                raise StoreError("another gateway is busy with this conversation")
            try:
                await _in_thread(end, STORE_SECONDS)
            except asyncio.TimeoutError:
                raise StoreError("the store is too slow") from None
        self.watch.news(conversation)
        log.info("ended by the visitor", conversation=conversation)

    def without_store(
        self, text: str, *, clinic: str | None, channel: str, now: datetime
    ) -> BotMessage:
        """What is said to a message that cannot even be kept: crisis help, or an apology.

        Args:
            clinic: its id; None where nobody knows which one is meant.
        """
        text = normalise(text)
        read = self._screened("", text)
        where = {"channel": channel, "language": language_of(text, LANGUAGES[0])}
        if tier_at_least(read.tier, TIER_CONCERN):
            return self._words.crisis(
                read.tier, read.categories, clinic=clinic, times_before=0, **where
            )
        return self._words.unavailable(clinic=clinic, now=now, **where)

    def reads_danger(self, text: str) -> bool:
        """Whether the safety screen reads danger in `text`, or cannot say."""
        return tier_at_least(self._screened("", normalise(text)).tier, TIER_CONCERN)

    # --- the stages, in order -----------------------------------------------------------

    async def _read(self, turn: InFlight) -> None:
        """The safety screen, before anything else; it reads all of the message.

        What an opaque button id stands for is not known yet: `_press` screens it.
        """
        if turn.button_id is not None:
            return
        text = turn.text or turn.button_label or ""
        if len(text) <= BRAIN_CHARACTERS:
            turn.reading = self._screened(turn.conversation, text)
        else:
            turn.reading = await asyncio.to_thread(self._screened, turn.conversation, text)

    def _screened(self, conversation: str, text: str) -> Reading:
        """What the screen says; if it fails, the message still counts as a concern."""
        try:
            return self._screen.read(text)
        except Exception as error:
            _log_trouble(conversation, error)
            return UNREAD

    async def _wait_and_remember(self, turn: InFlight, place: Place) -> None:
        """Let earlier turns finish, then look up where the conversation stands."""
        now = asyncio.get_running_loop().time()
        # A calm message behind others at another gateway is as patient as behind our own.
        seconds = turn.seconds_left() if _is_urgent(turn) else self._patient_until(turn) - now
        if not await place.reached(max(0.0, seconds)):
            turn.trouble = "another gateway has the conversation"

        await self._remember(turn)

    async def _remember(self, turn: InFlight) -> None:
        def remember() -> Memory:
            with reading(self._engine) as db:
                stands = Conversations(db).standing(turn.conversation, turn.message_id)
                if stands is None or not turn.allowed(stands.conversation):
                    raise Refused(404, NO_SUCH_CONVERSATION)
                found, messages, buttons = stands.conversation, Messages(db), Buttons(db)
                lasting = CHANNELS[found.channel].choices_last
                since = turn.now - lasting if lasting else None
                # A conversation's tier never falls: below concern there is none to count.
                worried = tier_at_least(found.state.tier, TIER_CONCERN)
                concern = TIERS[TIERS.index(TIER_CONCERN) :]
                asked = stands.asked
                return Memory(
                    conversation=found,
                    newest=stands.newest,
                    answered=None if asked is None else messages.answer_to(found.id, asked),
                    offered=buttons.open(found.id, since),
                    button=buttons.find(found.id, turn.button_id) if turn.button_id else None,
                    crises=messages.count_tiers(found.id, CRISIS_TIERS) if worried else 0,
                    concerns=messages.count_tiers(found.id, concern) if worried else 0,
                )

        turn.memory = await _in_thread(remember, max(turn.seconds_left(), _LEAST_SECONDS))

    def _press(self, turn: InFlight) -> None:
        """Which button was meant: by its id, its label, or by typing the choice."""
        if turn.memory is None:
            raise AssertionError("the conversation is looked up first")
        offered = turn.offered
        if turn.pressed is not None:
            return  # the help button, known from the start
        if turn.button_id is not None:
            if turn.memory.button is None:
                raise Refused(422, "this button is not known in this conversation")
            turn.pressed = turn.memory.button.button
        elif turn.button_label is not None:
            named = [button for button in offered if button.label == turn.button_label]
            if not named:
                raise Refused(422, f"no button is labelled {turn.button_label!r} now")
            turn.pressed = named[0]
        else:
            index = turn.channel.choice(turn.text, offered)
            turn.pressed = None if index is None else offered[index]
            if index is None and calls_a_line(turn.text):
                turn.pressed = self._help_button(turn)
        if turn.pressed is None:
            return
        # Labels are screened as well: "2" may stand for a sentence of danger.
        read_label = self._label_read(turn.conversation, turn.pressed.label)
        if not turn.text:
            turn.text, turn.reading = turn.pressed.label, read_label
        elif higher_tier(read_label.tier, turn.reading.tier) != turn.reading.tier:
            turn.reading = dataclasses.replace(read_label, evidence=())

    def _label_read(self, conversation: str, label: str) -> Reading:
        """The same for a choice: there are few, and every visitor presses them."""
        read = self._labels.get(label) or self._screened(conversation, label)
        if not read.failed and len(self._labels) < _MOST_LABELS:
            self._labels[label] = read
        return read

    def _help_button(self, turn: InFlight) -> Button:
        return Button(label=self._words.word("help_now", turn.language), intent=HELP_NOW)

    def _only_if_urgent(self, turn: InFlight, wait: int) -> None:
        """Too fast: danger is answered by ourselves, everything else is refused for now."""
        if not tier_at_least(turn.tier, TIER_CONCERN) and not turn.asked_for_help:
            reason = self._words.too_fast(turn.clinic, turn.language)
            raise Refused(429, reason, retry_after=wait)
        turn.trouble = "too fast"

    def _unread(self, conversation: str, language: str | None) -> Answer:
        """Crisis help for whoever may need it in a flood that cannot even be read."""
        help_text = self._words.crisis(
            TIER_CRISIS_SELF,
            (),
            clinic=conversation.partition(".")[0],
            channel="web",
            language=language or LANGUAGES[0],
            times_before=0,
        )
        return Answer(_unsaved(CHANNELS["web"], [help_text]), TurnState(tier=TIER_CONCERN))

    async def _ask_brain(self, turn: InFlight) -> None:
        """The brain's answer, unless there is nothing to ask or no time left."""
        if turn.memory is None or not turn.text or turn.answers_nothing or turn.trouble:
            return
        if self._asking >= MOST_ASKING:
            turn.trouble = "too many at once"
            return
        conversation = turn.memory.conversation
        request = TurnRequest(
            conversation=conversation.id,
            message_id=turn.message_id,
            clinic=conversation.clinic,
            channel=conversation.channel,
            text=turn.pressed.label if turn.pressed else for_brain(turn.text),
            now=turn.now,
            pressed=turn.pressed,
            language=turn.chosen_language or conversation.chosen_language,
            known_phone=turn.known_phone,
            greeted=conversation.state.language,
            urgent=tier_at_least(turn.tier, TIER_CONCERN) or turn.asked_for_help,
            reading=(read_of_all := _read_of_all(turn)),
            encoded=self._encoded(turn.text) if read_of_all else None,
            newest=turn.memory.newest,
        )
        self._asking += 1
        try:
            with self.watch.typing(turn.conversation):
                turn.reply = await self._reply(request, turn)
        except asyncio.TimeoutError:
            turn.trouble = "too slow"
        except BrainError as error:
            turn.trouble = str(error)
        finally:
            self._asking -= 1

    @contextlib.contextmanager
    def _hurrying(self, turn: InFlight) -> Iterator[None]:
        """While danger waits behind earlier messages of its conversation, they are not patient."""
        if not _is_urgent(turn):
            yield
            return
        self._hurried[turn.conversation] += 1
        try:
            yield
        finally:
            self._hurried[turn.conversation] -= 1
            if not self._hurried[turn.conversation]:
                del self._hurried[turn.conversation]

    async def _reply(self, request: TurnRequest, turn: InFlight) -> TurnReply:
        """The brain's answer; raises TimeoutError when it has been waited for long enough."""
        now = asyncio.get_running_loop().time
        hasty = request.urgent or turn.channel.one_by_one
        asked, patient = now(), self._patient_until(turn)
        asking = asyncio.ensure_future(self._brain.turn(request))
        try:
            await asyncio.wait({asking}, timeout=turn.seconds_left())
            while not asking.done():
                left = min(patient, max(asked, self._answered) + _STANDSTILL_SECONDS) - now()
                if left <= 0 or hasty or turn.conversation in self._hurried:
                    raise asyncio.TimeoutError
                await asyncio.wait({asking}, timeout=min(left, _LOOK_SECONDS))
            reply = asking.result()
            self._answered = now()
            return reply
        finally:
            asking.cancel()
            await asyncio.wait({asking})

    def _patient_until(self, turn: InFlight) -> float:
        """Until when a calm message may wait, by the event loop's clock."""
        return turn.ends - self._deadline + self._patience

    def _answer(self, turn: InFlight, voice: Voice) -> None:
        """The reply that goes out: the brain's if the guarantee holds, else our own."""
        danger = turn.tier in CRISIS_TIERS or turn.asked_for_help
        answers_danger = voice is Voice.DANGER_ONLY and danger
        if voice is not Voice.ASSISTANT and not answers_danger:
            turn.messages, turn.state = [], self._state(turn)
            return
        if turn.reply is not None and is_kept(
            turn.reply.messages,
            turn.reading.tier,
            pressed_tier=turn.pressed_tier,
            asked_for_help=turn.asked_for_help,
        ):
            turn.messages = list(turn.reply.messages)
            turn.state = self._state(turn)
        else:
            turn.replaced = turn.reply is not None
            turn.messages = [self._own_reply(turn)]
            turn.state = self._own_state(turn)
        if answers_danger:
            turn.messages = [dataclasses.replace(each, buttons=[]) for each in turn.messages]
        if len(turn.text) > BRAIN_CHARACTERS and turn.tier not in CRISIS_TIERS and turn.reply:
            turn.messages.insert(0, self._words.long_message(turn.channel.name, turn.language))

    def _own_reply(self, turn: InFlight) -> BotMessage:
        """What the gateway says by itself: what is most urgent first."""
        where = {"channel": turn.channel.name, "language": turn.language}
        if turn.tier not in CRISIS_TIERS and turn.occasion is not None:
            return self._words.follow_up(turn.occasion, clinic=turn.clinic, **where)
        if tier_at_least(turn.tier, TIER_CONCERN):
            return self._words.crisis(
                turn.tier,
                turn.reading.categories,
                clinic=turn.clinic,
                times_before=turn.times_before,
                **where,
            )
        if not turn.text and turn.trouble is None:
            message = self._words.empty_message(**where)
        elif turn.answers_nothing and turn.trouble is None:
            return self._words.no_question(**where)
        else:
            message = self._words.unavailable(clinic=turn.clinic, now=turn.now, **where)
        # The question before is still open, so its choices are offered again.
        return dataclasses.replace(message, buttons=turn.offered)

    def _state(self, turn: InFlight) -> TurnState:
        """Where the conversation stands; its tier never falls, even if the brain missed it."""
        before = turn.memory.conversation.state if turn.memory else TurnState()
        state = turn.reply.state if turn.reply else before
        # Of a pressed answer the brain knows whom it is about; words speak for themselves.
        told = turn.reading.tier if turn.reply and not turn.replaced else turn.tier
        tier = higher_tier(higher_tier(before.tier, state.tier), told)
        return dataclasses.replace(state, tier=tier, reference=state.reference or before.reference)

    def _own_state(self, turn: InFlight) -> TurnState:
        """The same after a reply of our own."""
        state = self._state(turn)
        if turn.tier in CRISIS_TIERS:
            return dataclasses.replace(_without_concern(state), handoff=HANDOFF_CRISIS)
        if turn.denied:
            return _without_concern(state)
        if turn.tier == TIER_CONCERN and not turn.asked_for_help:
            # The static reply asks the direct question: a "yes" must be understood.
            return dataclasses.replace(state, open_question=CONCERN)
        return state

    async def _keep(self, turn: InFlight, voice: Voice) -> None:
        """Render, write the turn down, and only then let it go out."""
        if turn.memory is None:
            turn.shown = _unsaved(turn.channel, turn.messages)
            return
        try:
            for _ in range(_TRIES):
                try:
                    turn.shown = await _in_thread(
                        functools.partial(self._write, turn), STORE_SECONDS
                    )
                    return
                except Conflict:
                    # Somebody else has written in the conversation: staff, another gateway.
                    if await self._overtaken(turn, voice):
                        return
            raise StoreError("others write in this conversation again and again")
        except Exception as error:
            turn.trouble = type(error).__name__
            _log_trouble(turn.conversation, error)
            turn.messages = [self._own_reply(turn)]
            turn.state = self._own_state(turn)
            turn.shown = _unsaved(turn.channel, turn.messages)

    async def _overtaken(self, turn: InFlight, voice: Voice) -> bool:
        """Look again where the conversation stands; whether this message has been answered.

        The brain is asked again if its answer goes on from what is not the last any more.
        """
        before = turn.memory
        await self._remember(turn)
        if turn.memory is None or before is None:
            raise AssertionError("it was looked up before")
        if turn.memory.answered is not None:
            turn.shown = _again(turn.memory.answered, turn.state).messages
            return True
        if turn.reply is not None and turn.memory.newest != before.newest:
            turn.reply = None
            await self._ask_brain(turn)
            self._answer(turn, voice)
        return False

    def _write(self, turn: InFlight) -> list[Shown]:
        """One transaction: what was said, the answer, the dialogue, what staff must know."""
        if not turn.confirmed_deletion:
            with writing(self._engine) as db:
                return self._write_turn(db, turn)
        with writing(self._engine) as db:
            shown = self._erase(db, turn)
        empty_write_ahead_log(self._engine)
        return shown

    def _write_turn(self, db: sa.engine.Connection, turn: InFlight) -> list[Shown]:
        rendered = turn.channel.render(turn.messages) if turn.messages else []
        answer = _outgoing(rendered, turn.now)
        seq, seqs = Messages(db).add_turn(turn.conversation, _incoming(turn, turn.text), answer)
        danger = turn.danger
        if danger is not None:
            Alerts(db).add(Alert(turn.conversation, seq, danger, turn.reading.categories, turn.now))
            self._queue(db, turn, danger)
        before = turn.memory.conversation.chosen_language if turn.memory else None
        Conversations(db).set_state(
            turn.conversation,
            turn.state,
            turn.now,
            # Once the brain has heard of the choice, the conversation decides.
            chosen_language=None if turn.reply else turn.chosen_language or before,
        )
        Casework(db).visitor_wrote(turn.conversation, turn.now)
        if turn.reply is not None and turn.reply.row is not None:
            TrackerEvents(db).keep(turn.conversation, turn.reply.row)
        return _shown(seqs, answer)

    def _erase(self, db: sa.engine.Connection, turn: InFlight) -> list[Shown]:
        """Delete what the conversation holds, and say what is kept and why."""
        # It must not leave words behind, not even of the confirmation.
        asked = _incoming(turn, self._words.delete_it(turn.language))
        seq = Messages(db).add_incoming(turn.conversation, asked)
        erased = erase(db, turn.conversation, before=seq, now=turn.now)
        before = turn.state
        kept = erased.request == CRISIS_KEPT
        state = TurnState(
            tier=before.tier if kept else TIER_NONE,
            handoff=before.handoff if kept else HANDOFF_NONE,
            language=before.language,
            reference=erased.reference,
        )
        told = self._words.deleted(
            erased.request, channel=turn.channel.name, language=turn.language
        )
        Conversations(db).set_state(
            turn.conversation,
            state,
            turn.now,
            # The brain begins anew, but not in another language.
            chosen_language=state.language,
        )
        answer = _outgoing(turn.channel.render([told]), turn.now)
        seqs = Messages(db).add_answer(turn.conversation, answer, seq, last=seq)
        turn.state, turn.messages = state, [told]
        return _shown(seqs, answer)

    def _queue(self, db: sa.engine.Connection, turn: InFlight, tier: str) -> None:
        """Somebody in danger stands in the queue and staff are told, whatever else they leave."""
        evidence = turn.reading.evidence
        record = crisis_record(
            conversation=turn.conversation,
            clinic=turn.clinic,
            channel=turn.channel.name,
            language=turn.language,
            tier=tier,
            rule=evidence[0].rule if evidence else "answer",
            categories=turn.reading.categories,
        )
        recorded = self._desk.write(db, record, turn.now)
        turn.state = dataclasses.replace(turn.state, reference=recorded.reference)


def _is_urgent(turn: InFlight) -> bool:
    """Whether the message signals danger or asks for help, as far as its words tell."""
    return tier_at_least(turn.reading.tier, TIER_CONCERN) or turn.asked_for_help


def _read_of_all(turn: InFlight) -> Reading | None:
    """What the screen read of the very text that the brain gets; None if that is another."""
    same = turn.pressed is None and len(turn.text) <= BRAIN_CHARACTERS
    return turn.reading if same and not turn.reading.failed else None


def _without_concern(state: TurnState) -> TurnState:
    """The direct question has been answered."""
    asked = None if state.open_question == CONCERN else state.open_question
    return dataclasses.replace(state, open_question=asked)


_TRIES = 3  # to write a turn down while somebody else writes in the same conversation
_LEAST_SECONDS = 0.5  # for looking up a conversation when earlier turns took all the time


def _digest(token: str, origin: str) -> str:
    # The website is part of it: a token that has got to another site opens nothing there.
    return hashlib.sha256(f"{token} {origin}".encode()).hexdigest()


async def _in_thread(work: Callable[[], Result], seconds: float) -> Result:
    """Run blocking `work` beside the event loop; raises TimeoutError when too slow."""
    return await asyncio.wait_for(asyncio.to_thread(work), seconds)


def _incoming(turn: InFlight, text: str) -> Incoming:
    read = dataclasses.replace(turn.reading, tier=turn.tier)
    return Incoming(turn.message_id, text, read, turn.now)


def _outgoing(rendered: list[Rendered], now: datetime) -> list[Outgoing]:
    """What is to be written down, each choice with an opaque id of its own."""
    return [
        Outgoing(
            message.text,
            message.response,
            tuple(OfferedButton(secrets.token_urlsafe(12), each) for each in message.choices),
            now,
        )
        for message in rendered
    ]


def _shown(seqs: list[int], written: list[Outgoing]) -> list[Shown]:
    return [
        Shown(seq, message.text, message.response, message.buttons)
        for seq, message in zip(seqs, written, strict=True)
    ]


def _unsaved(channel: Channel, messages: list[BotMessage]) -> list[Shown]:
    """Messages that the store does not know; a button of them could not be resolved."""
    plain = [dataclasses.replace(message, buttons=[]) for message in messages]
    return [Shown(None, shown.text, shown.response) for shown in channel.render(plain)]


def _again(answered: list[StoredMessage], state: TurnState) -> Answer:
    shown = [Shown(m.seq, m.text, m.response or "", m.buttons) for m in answered]
    return Answer(shown, state, responses=tuple(each.response for each in shown))


def _log_trouble(conversation: str, error: BaseException) -> None:
    """Say what failed and where, without the error's text unless it is our own."""
    frames = traceback.extract_tb(sys.exc_info()[2])
    where = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else None
    reason = str(error) if isinstance(error, StoreError) else None
    log.error(
        "trouble", conversation=conversation, kind=type(error).__name__, reason=reason, where=where
    )
