"""Whole conversations that read like a transcript.

    visitor = ask("greater_boston")
    visitor.says("can i keep my job?").hears("faq_work_school")
    visitor.says("i want to find what fits").is_asked("for_whom").presses("For me")

Everything is real: gateway, safety screen, trained model, rules, database. Only the
clock is the test's.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from bot.commands.assistant import Assistant
from bot.gateway.in_flight import Answer
from bot.turns import TurnState

MONDAY_MORNING = datetime.fromisoformat("2026-11-23T10:00:00-05:00")
THANKSGIVING = datetime.fromisoformat("2026-11-26T20:00:00-05:00")


class Visitor:
    """One visitor in one conversation."""

    def __init__(
        self,
        assistant: Assistant,
        loop: asyncio.AbstractEventLoop,
        clinic: str,
        channel: str,
        now: datetime,
        language: str | None,
    ):
        self._assistant = assistant
        self._loop = loop
        self.now = now
        opened = loop.run_until_complete(
            assistant.turns.open(clinic, channel, now=now, language=language)
        )
        self.conversation = opened.conversation
        self.answer: Answer = opened.answer

    # --- what the visitor does ---------------------------------------------------------

    def says(self, text: str) -> Visitor:
        """Type a message."""
        return self._take(text=text)

    def presses(self, label: str) -> Visitor:
        """Press a button that the latest reply offers."""
        assert label in self.buttons, f"{label!r} is not offered; there are {self.buttons}"
        return self._take(button_label=label)

    def needs_help_now(self) -> Visitor:
        """Press the button that is always in view."""
        return self._take(help_now=True)

    def waits(self, **delta: float) -> Visitor:
        """Let time pass: `waits(hours=1)`."""
        self.now += timedelta(**delta)
        return self

    # --- what the visitor gets ----------------------------------------------------------

    @property
    def responses(self) -> list[str]:
        """Names of the reviewed texts of the latest reply."""
        return [message.response for message in self.answer.messages]

    @property
    def text(self) -> str:
        """All that the latest reply says."""
        return "\n\n".join(message.text for message in self.answer.messages)

    @property
    def buttons(self) -> list[str]:
        """Labels of the buttons that the latest reply offers."""
        return [b.button.label for message in self.answer.messages for b in message.buttons]

    @property
    def state(self) -> TurnState:
        """Where the conversation stands."""
        return self.answer.state

    def hears(self, response: str, *words: str) -> Visitor:
        """The reply has this reviewed text, and these words are in it."""
        assert response in self.responses, f"{response} not in {self.responses}: {self.text}"
        for word in words:
            assert word in self.text, f"{word!r} is not in: {self.text}"
        return self

    def does_not_hear(self, *words: str) -> Visitor:
        """None of these words is in the reply."""
        for word in words:
            assert word not in self.text, f"{word!r} is in: {self.text}"
        return self

    def is_asked(self, question: str | None) -> Visitor:
        """This question is open now; None: no question is."""
        assert self.state.open_question == question, (self.state, self.text)
        return self

    def is_at(self, **state: object) -> Visitor:
        """The state has these values: `is_at(level="iop", handoff="phone")`."""
        for name, value in state.items():
            assert getattr(self.state, name) == value, (self.state, self.text)
        return self

    def _take(self, **said: object) -> Visitor:
        self.answer = self._loop.run_until_complete(
            self._assistant.turns.take(self.conversation, now=self.now, **said)  # type: ignore[arg-type]
        )
        assert self.answer.messages, "nobody may be left without an answer"
        return self
