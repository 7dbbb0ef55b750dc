"""A message that is in the dialogue already gets the answer it got.

The same message comes again when the connection broke, or the process that took it died,
between storing the turn and handing out its answer.
"""

from __future__ import annotations

from typing import Any

from rasa.shared.core.events import BotUttered, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from bot.turns import BotMessage, Button


def answer_given(tracker: DialogueStateTracker | None, message_id: str) -> list[BotMessage]:
    """What was said to the last message of `tracker` if it is `message_id`; else nothing."""
    said: list[BotMessage] = []
    for event in reversed(tracker.events if tracker else ()):
        if isinstance(event, BotUttered):
            said.append(bot_message({"text": event.text, **event.data, **event.metadata}))
        if isinstance(event, UserUttered):
            return said[::-1] if event.message_id == message_id else []
    return []


def bot_message(message: dict[str, Any]) -> BotMessage:
    """What Rasa says, as the gateway takes it."""
    return BotMessage(
        text=message.get("text") or "",
        response=message.get("reviewed") or message.get("utter_action") or "unnamed",
        buttons=[
            Button(b["title"], b["intent"], b["entities"]) for b in message.get("buttons") or []
        ],
    )
