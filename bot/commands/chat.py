"""`handrail chat`: talk to the assistant in the terminal."""

from __future__ import annotations

import asyncio
from datetime import datetime, timezone

from bot.commands.assistant import Assistant
from bot.gateway.in_flight import Answer
from bot.gateway.refused import Refused


def chat(assistant: Assistant, clinic: str, channel: str, language: str | None) -> int:
    """Read lines until end of input; "1", "2" ... choose a button."""
    return asyncio.get_event_loop().run_until_complete(_chat(assistant, clinic, channel, language))


async def _chat(assistant: Assistant, clinic: str, channel: str, language: str | None) -> int:
    opened = await assistant.turns.open(
        clinic, channel, now=datetime.now(timezone.utc), language=language
    )
    labels = _show(opened.answer)
    print("\n(Write a message, or the number of a choice. Ctrl-D ends the chat.)")
    while True:
        try:
            typed = (await asyncio.to_thread(input, "\nyou> ")).strip()
        except EOFError:
            print()
            return 0
        is_number = typed.isdigit() and 0 < int(typed) <= len(labels)
        chosen = labels[int(typed) - 1] if is_number else None
        now = datetime.now(timezone.utc)
        try:
            if chosen:
                answer = await assistant.turns.take(
                    opened.conversation, now=now, button_label=chosen
                )
            else:
                answer = await assistant.turns.take(opened.conversation, now=now, text=typed)
        except Refused as refused:
            print(f"({refused.reason})")
            continue
        labels = _show(answer)


def _show(answer: Answer) -> list[str]:
    labels: list[str] = []
    for message in answer.messages:
        print(f"\nbot> {message.text}")
        labels = [choice.button.label for choice in message.buttons]
    for number, label in enumerate(labels, start=1):
        print(f"     [{number}] {label}")
    return labels
