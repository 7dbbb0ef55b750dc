"""`handrail converse`: one conversation over JSON lines, in-process, with a frozen clock."""

from __future__ import annotations

import asyncio
import dataclasses
import sys
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bot.commands.assistant import Assistant
from bot.commands.jsonlines import LineError, answer_lines, read_time
from bot.gateway.in_flight import Answer
from bot.gateway.incoming import normalise
from bot.gateway.refused import Refused
from bot.gateway.text_outcomes import Outcome
from bot.gateway.texting import Texting
from bot.store.sms_inbox import Arrival
from bot.vocabulary import SMS

_NUMBER = "+12025550143"  # reserved for fiction; whoever texts here has it


class Conversation:
    """One conversation with a clock that moves only when it is told to."""

    def __init__(self, assistant: Assistant, clinic: str, channel: str, now: datetime):
        self._assistant = assistant
        self._clinic = clinic
        self._now = now
        self._id: str | None = None
        self._messages = 0
        self._texting: Texting | None = None
        if channel == SMS:
            self._texting = Texting(
                clinics=assistant.clinics,
                turns=assistant.turns,
                engine=assistant.engine,
                clock=lambda: self._now,
                holder="converse",
            )

    async def answer(self, given: Mapping[str, Any], language: str | None) -> dict[str, Any]:
        """Take one line: {"user"} or {"button"}, optionally {"now"}; raises LineError."""
        if "now" in given:
            self._now = read_time(given["now"])
        said = [key for key in ("user", "button") if key in given]
        if len(said) != 1 or not isinstance(given[said[0]], str):
            raise LineError('either "user" or "button" with a string is expected')
        try:
            if self._texting is not None:
                return await self._text(self._texting, given[said[0]], language)
            if self._id is None:
                opened = await self._assistant.turns.open(
                    self._clinic, "web", now=self._now, language=language
                )
                self._id = opened.conversation
            return shown(await self._take(self._id, said[0], given[said[0]]))
        except Refused as refused:
            raise LineError(refused.reason) from refused

    async def _take(self, conversation: str, said: str, text: str) -> Answer:
        if said == "user":
            return await self._assistant.turns.take(conversation, now=self._now, text=text)
        return await self._assistant.turns.take(conversation, now=self._now, button_label=text)

    async def _text(self, texting: Texting, text: str, language: str | None) -> dict[str, Any]:
        """One text; by text, a button is its label."""
        self._messages += 1
        arrival = Arrival(
            sid=f"converse.{self._messages}",
            idempotency=None,
            sender=_NUMBER,
            clinic=self._clinic,
            text=normalise(text),
            media=0,
            opt_out_type=None,
            at=self._now,
        )
        return texted(await texting.answer(arrival, language))


def converse(
    assistant: Assistant, clinic: str, channel: str, now: datetime, language: str | None
) -> int:
    """Answer stdin on stdout."""
    conversation = Conversation(assistant, clinic, channel, now)
    loop = asyncio.get_event_loop()
    answer_lines(
        lambda given: loop.run_until_complete(conversation.answer(given, language)),
        sys.stdin,
        sys.stdout,
    )
    return 0


def shown(answer: Answer) -> dict[str, Any]:
    """An answer as the contract of `converse` writes it."""
    return {
        "bot": [
            {"text": message.text, "buttons": [b.button.label for b in message.buttons]}
            for message in answer.messages
        ],
        "state": dataclasses.asdict(answer.state),
    }


def texted(outcome: Outcome) -> dict[str, Any]:
    """The same for a text; choices belong to the text that has them."""
    messages = outcome.answer.messages if outcome.answer else []
    choices = {message.text: [b.button.label for b in message.buttons] for message in messages}
    return {
        "bot": [
            {
                "text": text,
                "buttons": next((choices[said] for said in choices if text.endswith(said)), []),
            }
            for text in outcome.texts
        ],
        "state": dataclasses.asdict(outcome.answer.state) if outcome.answer else {},
    }
