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
from bot.gateway.turn import Answer, Refused


class Conversation:
    """One conversation with a clock that moves only when it is told to."""

    def __init__(self, assistant: Assistant, clinic: str, channel: str, now: datetime):
        self._assistant = assistant
        self._clinic = clinic
        self._channel = channel
        self._now = now
        self._id: str | None = None

    async def answer(self, given: Mapping[str, Any], language: str | None) -> dict[str, Any]:
        """Take one line: {"user"} or {"button"}, optionally {"now"}; raises LineError."""
        if "now" in given:
            self._now = read_time(given["now"])
        said = [key for key in ("user", "button") if key in given]
        if len(said) != 1 or not isinstance(given[said[0]], str):
            raise LineError('either "user" or "button" with a string is expected')
        if self._id is None:
            opened = await self._assistant.turns.open(
                self._clinic, self._channel, now=self._now, language=language
            )
            self._id = opened.conversation
        try:
            if said == ["user"]:
                answer = await self._assistant.turns.take(
                    self._id, now=self._now, text=given["user"]
                )
            else:
                answer = await self._assistant.turns.take(
                    self._id, now=self._now, button_label=given["button"]
                )
        except Refused as refused:
            raise LineError(refused.reason) from refused
        return shown(answer)


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
