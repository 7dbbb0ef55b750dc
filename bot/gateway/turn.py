"""The path of a message, read from top to bottom in `Turns.take`.

Whatever fails on the way, the visitor gets an answer: crisis help if the message
signals danger, otherwise an apology with the phone line and the crisis lines.
"""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeVar

import sqlalchemy as sa
import structlog

from bot.clinic.profile import Clinic
from bot.gateway.answering import Answering, Voice
from bot.gateway.asking import Asking
from bot.gateway.brain import Brain
from bot.gateway.channels import CHANNELS
from bot.gateway.events import Watch, read_transcript
from bot.gateway.guarantee import HELP_NOW, calls_a_line
from bot.gateway.in_flight import Answer, InFlight, Opened, Shown, unsaved
from bot.gateway.incoming import BRAIN_CHARACTERS, normalise
from bot.gateway.keeping import Keeping
from bot.gateway.limits import WITHIN_LIMITS, Pace
from bot.gateway.neighbours import Neighbours
from bot.gateway.order import Order, Place
from bot.gateway.origins import OWN
from bot.gateway.own_words import OwnWords
from bot.gateway.refused import Refused
from bot.gateway.screening import Screen, Screening
from bot.gateway.tokens import anyone, digest, new_token
from bot.store import Conflict, StoreError
from bot.store.records import Conversation, StoredMessage
from bot.trouble import about
from bot.turns import BotMessage, Button, TurnState
from bot.vocabulary import (
    LANGUAGES,
    TIER_CONCERN,
    TIER_CRISIS_SELF,
    higher_tier,
    tier_at_least,
)

DEADLINE = 3.0  # seconds from a message's arrival to the end of waiting for the brain
# Many at once: a calm message waits longer than that as long as others are being answered.
# An answer after five seconds serves a visitor better than an apology after three; danger
# never waits longer. Below the ten seconds after which the widget asks again.
PATIENCE = 8.0
STORE_SECONDS = 2.0  # for writing down a finished turn
_LEAST_SECONDS = 0.5  # for looking up a conversation when earlier turns took all the time
_TRIES = 3  # to write a turn down while somebody else writes in the same conversation

log = structlog.get_logger("handrail.gateway")
Result = TypeVar("Result")


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
        self._words = words
        self._engine = engine
        self._deadline = deadline
        self._patience = patience
        self._order = Order(neighbours)
        self._screening = Screening(screen)
        self._answering = Answering(words)
        self._keeping = Keeping(engine, clinics, words)
        self.watch = Watch(neighbours)
        self._asking = Asking(brain, self.watch, encoded)

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
        token = new_token()
        conversation = Conversation(
            id=f"{clinic}.{secrets.token_hex(16)}",
            clinic=clinic,
            channel=channel,
            token_hash=digest(token, origin),
            chosen_language=language,
            created=now,
            state=TurnState(language=language or greet_in),
        )
        speech = language or greet_in
        rendered = CHANNELS[channel].render(self._words.greeting(clinic, channel, speech))
        begin = functools.partial(self._keeping.begin, conversation, rendered)
        try:
            shown, kept = await _in_thread(begin, STORE_SECONDS), True
        except (StoreError, asyncio.TimeoutError) as error:
            log.error("trouble", conversation=conversation.id, **about(error))
            sorry = self._words.unavailable(
                clinic=clinic, channel=channel, language=speech, now=now
            )
            shown, kept = unsaved(CHANNELS[channel], [sorry]), False
        return Opened(conversation.id, token, Answer(shown, conversation.state, kept))

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
        arrived = asyncio.get_running_loop().time()
        turn = InFlight(
            conversation=conversation,
            message_id=message_id or secrets.token_urlsafe(12),
            now=now,
            ends=arrived + self._deadline,
            patient_until=arrived + self._patience,
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
        async with self._order.join(conversation) as place:
            try:
                await self._read(turn)
                with self._asking.hurrying(turn):
                    await self._wait_and_remember(turn, place)
                if turn.memory and turn.memory.answered is not None:
                    return _again(turn.memory.answered, turn.memory.conversation.state)
                self._press(turn)
                if pace.wait:
                    self._only_if_urgent(turn, pace.wait)
                elif voice is Voice.ASSISTANT:
                    await self._asking.ask(turn)
            except Refused:
                raise
            except Exception as error:
                # Whatever it is, the visitor gets an answer; the log says what it was.
                turn.trouble = type(error).__name__
                log.error("trouble", conversation=conversation, **about(error))
            self._answering.answer(turn, voice)
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
            milliseconds=round((asyncio.get_running_loop().time() - arrived) * 1000),
        )
        said = tuple(message.response for message in turn.messages)
        return Answer(turn.shown, turn.state, turn.kept, tuple(turn.offered), said)

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
        end = functools.partial(self._keeping.end, conversation, now, allowed)
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
        return self._answering.without_store(
            self._screening.read(text), text, clinic=clinic, channel=channel, now=now
        )

    def reads_danger(self, text: str) -> bool:
        """Whether the safety screen reads danger in `text`, or cannot say."""
        return tier_at_least(self._screening.read(normalise(text)).tier, TIER_CONCERN)

    # --- the stages, in order -----------------------------------------------------------

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
        shown = unsaved(CHANNELS["web"], [help_text])
        return Answer(shown, TurnState(tier=TIER_CONCERN), kept=False)

    async def _read(self, turn: InFlight) -> None:
        """The safety screen, before anything else; it reads all of the message.

        What an opaque button id stands for is not known yet: `_press` screens it.
        """
        if turn.button_id is not None:
            return
        text = turn.text or turn.button_label or ""
        if len(text) <= BRAIN_CHARACTERS:
            turn.reading = self._screening.read(text, turn.conversation)
        else:
            turn.reading = await self._screening.read_aside(text, turn.conversation)

    async def _wait_and_remember(self, turn: InFlight, place: Place) -> None:
        """Let earlier turns finish, then look up where the conversation stands."""
        now = asyncio.get_running_loop().time()
        # A calm message behind others at another gateway is as patient as behind our own.
        seconds = (turn.ends if turn.urgent else turn.patient_until) - now
        if not await place.reached(max(0.0, seconds)):
            turn.trouble = "another gateway has the conversation"
        await self._remember(turn)

    async def _remember(self, turn: InFlight) -> None:
        look_up = functools.partial(self._keeping.memory_of, turn)
        turn.memory = await _in_thread(look_up, max(turn.seconds_left(), _LEAST_SECONDS))

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
        read_label = self._screening.label(turn.pressed.label, turn.conversation)
        if not turn.text:
            turn.text, turn.reading = turn.pressed.label, read_label
        elif higher_tier(read_label.tier, turn.reading.tier) != turn.reading.tier:
            turn.reading = dataclasses.replace(read_label, evidence=())

    def _help_button(self, turn: InFlight) -> Button:
        return Button(label=self._words.word("help_now", turn.language), intent=HELP_NOW)

    def _only_if_urgent(self, turn: InFlight, wait: int) -> None:
        """Too fast: danger is answered by ourselves, everything else is refused for now."""
        if not turn.urgent:
            reason = self._words.too_fast(turn.clinic, turn.language)
            raise Refused(429, reason, retry_after=wait)
        turn.trouble = "too fast"

    async def _keep(self, turn: InFlight, voice: Voice) -> None:
        """Render, write the turn down, and only then let it go out."""
        if turn.memory is None:
            turn.shown = unsaved(turn.channel, turn.messages)
            return
        try:
            for _ in range(_TRIES):
                try:
                    write_down = functools.partial(self._keeping.write_down, turn)
                    turn.shown = await _in_thread(write_down, STORE_SECONDS)
                    turn.kept = True
                    return
                except Conflict:
                    # Somebody else has written in the conversation: staff, another gateway.
                    if await self._overtaken(turn, voice):
                        return
            raise StoreError("others write in this conversation again and again")
        except Exception as error:
            turn.trouble = type(error).__name__
            log.error("trouble", conversation=turn.conversation, **about(error))
            self._answering.by_ourselves(turn)
            turn.shown = unsaved(turn.channel, turn.messages)

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
            turn.kept = True
            return True
        if turn.reply is not None and turn.memory.newest != before.newest:
            turn.reply = None
            await self._asking.ask(turn)
            self._answering.answer(turn, voice)
        return False


async def _in_thread(work: Callable[[], Result], seconds: float) -> Result:
    """Run blocking `work` beside the event loop; raises TimeoutError when too slow."""
    return await asyncio.wait_for(asyncio.to_thread(work), seconds)


def _again(answered: list[StoredMessage], state: TurnState) -> Answer:
    shown = [Shown(m.seq, m.text, m.response or "", m.buttons) for m in answered]
    return Answer(shown, state, kept=True, responses=tuple(each.response for each in shown))
