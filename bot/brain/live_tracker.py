"""Keeps the live tracker short, so that the thousandth turn costs what the fifth costs.

Rasa replays a tracker's events several times a turn. What a turn needs of a long
conversation is little: the slots, the open form, its last turns, and what actions ask of
all of it. `shortened` keeps exactly that. Everything that was said stands in the transcript,
which is another table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rasa.shared.core.constants import ACTION_LISTEN_NAME, ACTION_SESSION_START_NAME
from rasa.shared.core.events import (
    ActionExecuted,
    ActionExecutionRejected,
    ActiveLoop,
    BotUttered,
    Event,
    SessionStarted,
    SlotSet,
    UserUttered,
)
from rasa.shared.core.slots import Slot
from rasa.shared.core.trackers import DialogueStateTracker

from bot.brain.names import ACTION_RESTART, KNOWN_PHONE
from bot.care.answers import volunteered

MOST_TURNS = 6  # a tracker that has more is shortened ...
KEPT_TURNS = 2  # ... to its last two: what was said before, and how long ago
SAID = "said"  # in the metadata of the event that begins the session: texts said before it
TOLD = "told"  # there, too: what the visitor has told before it, since the last start over


def shortened(tracker: DialogueStateTracker, slots: Iterable[Slot]) -> DialogueStateTracker | None:
    """A tracker in the same state with fewer events; None if this one is short enough.

    Args:
        tracker: after a turn; it stays as it is.
        slots: of the domain.
    """
    events = list(tracker.events)
    messages = [place for place, event in enumerate(events) if isinstance(event, UserUttered)]
    if len(messages) <= MOST_TURNS:
        return None
    cut = messages[-KEPT_TURNS]
    domain_slots = list(slots)
    before = DialogueStateTracker.from_events(tracker.sender_id, events[:cut], domain_slots)
    if before.latest_action_name != ACTION_LISTEN_NAME:
        return None  # a turn that Rasa broke off; the next one brings another chance
    beginning = _beginning(before, events[:cut])
    for event in beginning:
        event.timestamp = events[cut - 1].timestamp
    return DialogueStateTracker.from_events(
        tracker.sender_id, [*beginning, *events[cut:]], domain_slots
    )


def _beginning(before: DialogueStateTracker, dropped: Sequence[Event]) -> list[Event]:
    """Events that lead to the state of `before`."""
    events: list[Event] = [
        ActionExecuted(ACTION_SESSION_START_NAME),
        SessionStarted(metadata={SAID: _said(dropped), TOLD: _told(dropped)}),
    ]
    noted = [e.value for e in dropped if isinstance(e, SlotSet) and e.key == KNOWN_PHONE]
    if any(noted) and not before.get_slot(KNOWN_PHONE):
        # Taken back; but that it was known once must be seen.
        events += [SlotSet(KNOWN_PHONE, next(filter(None, noted))), SlotSet(KNOWN_PHONE, None)]
    events += [
        SlotSet(slot.name, slot.value)
        for slot in before.slots.values()
        if slot.value != slot.initial_value
    ]
    if before.active_loop_name:
        events.append(ActiveLoop(before.active_loop_name))
        if before.is_active_loop_rejected:
            events.append(ActionExecutionRejected(before.active_loop_name))
    events.append(ActionExecuted(ACTION_LISTEN_NAME))
    return events


def _said(events: Sequence[Event]) -> list[str]:
    """Names of the reviewed texts, each once, the latest last."""
    names: dict[str, None] = {}
    for event in events:
        for name in _remembered(event, SAID):
            names[name] = None
        if isinstance(event, BotUttered) and event.metadata.get("reviewed"):
            name = event.metadata["reviewed"]
            names.pop(name, None)
            names[name] = None
    return list(names)


def _told(events: Sequence[Event]) -> list[str]:
    """The messages that answer a question of the questionnaire, since the last start over."""
    texts: list[str] = []
    for event in events:
        texts += _remembered(event, TOLD)
        if isinstance(event, ActionExecuted) and event.action_name == ACTION_RESTART:
            texts = []
        elif isinstance(event, UserUttered) and volunteered(event.text or ""):
            texts = [*(text for text in texts if text != event.text), event.text]
    return texts


def _remembered(event: Event, what: str) -> list[str]:
    metadata: Mapping[str, Any] = event.metadata if isinstance(event, SessionStarted) else {}
    return list(metadata.get(what, ()))
