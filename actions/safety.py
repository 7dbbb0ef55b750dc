"""The answer to a message of danger, and what comes after it."""

from __future__ import annotations

from collections.abc import Sequence

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType, FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions.faq import faq_messages
from actions.turn import Turn, say
from bot.brain import names
from bot.care.words import is_not_no, only_goes_on
from bot.nlu.clauses import asks
from bot.turns import BotMessage
from bot.vocabulary import (
    CRISIS_CAN_CALL,
    CRISIS_CANNOT_CALL,
    CRISIS_GO_ON,
    HANDOFF_CRISIS,
    ONLY_LINK,
    OTHER_SCRIPT,
    SAFETY_INTENTS,
    TIER_CONCERN,
    TIER_CRISIS_SELF,
    TIER_NONE,
    faq_intent,
    higher_tier,
)

# Answers to the direct question that leave it open: it is asked once more, in other words.
_NEITHER_YES_NOR_NO = frozenset(
    {"nlu_fallback", "out_of_scope", "repeat", "ask_why", "ask_if_bot", "greet", "complain"}
    | {OTHER_SCRIPT, ONLY_LINK}
)
# The rule that hears "I called 911", and what is said then to somebody who was told to.
_HELP_CALLED, _HELP_COMING = "help_called", "emergency_help_coming"
_SURE = 0.4  # as for any message: a question less certain than that was not understood


class ActionSafety(Action):
    """Answers a message of danger, or the wish for help now."""

    def name(self) -> str:
        """Name in domain.yml."""
        return names.ACTION_SAFETY

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[EventType]:
        """A concern gets one direct question, anything above it crisis resources."""
        turn = Turn(tracker)
        if turn.intent == "help_now":
            say(dispatcher, follow_up(turn, "help_now"))
            return [SlotSet(names.PENDING, names.PENDING_CRISIS)]
        if _only_says_that_help_is_called(turn):
            say(dispatcher, follow_up(turn, _HELP_COMING))
            return [SlotSet(names.PENDING, names.PENDING_CRISIS)]
        tier = str(turn.safety["tier"])
        times = int(tracker.get_slot(names.CRISIS_TURNS) or 0)
        if tier == TIER_CONCERN and times:
            tier = TIER_CRISIS_SELF  # said before; the direct question would not listen
        say(dispatcher, crisis_message(turn, tier, times))
        if tier == TIER_CONCERN:
            return [SlotSet(names.PENDING, names.PENDING_CONCERN)]
        return in_crisis(turn, tier, turn.tracker.get_slot(names.TIER_RULE), times)


class ActionSafetyFollowUp(Action):
    """Reads the answer to the direct question, or to "can you call or text now?"."""

    def name(self) -> str:
        """Name in domain.yml."""
        return names.ACTION_SAFETY_FOLLOW_UP

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[EventType]:
        """Yes and "not sure" to the direct question are a disclosure; no is believed."""
        turn = Turn(tracker)
        if tracker.get_slot(names.PENDING) == names.PENDING_CONCERN:
            return _after_concern(dispatcher, turn)
        name = follow_up_name(
            _spoken_intent(turn), turn.responses_so_far(), turn.safety.get("barrier")
        )
        say(dispatcher, follow_up(turn, name))
        over = name in ("crisis_go_on", "crisis_stay")
        return [SlotSet(names.PENDING, None if over else names.PENDING_CRISIS)]


def follow_up_name(intent: str, so_far: Sequence[str], barrier: str | None = None) -> str:
    """Which text follows an answer to "can you call or text now?".

    Args:
        intent: of the answer.
        so_far: texts that this conversation had already; no way out is offered twice.
        barrier: the follow-up that meets what keeps the visitor from calling, if it was said.
    """
    if barrier and barrier not in so_far:
        return barrier
    if intent in (CRISIS_GO_ON, "thank"):
        return "crisis_go_on"
    if intent in (CRISIS_CAN_CALL, "affirm"):
        return "crisis_can_call"
    if intent in (CRISIS_CANNOT_CALL, "deny", "unsure"):
        ways = ("crisis_cannot_call", "crisis_not_talking")
        return next((way for way in ways if way not in so_far), "crisis_stay")
    return "crisis_stay"


def _spoken_intent(turn: Turn) -> str:
    """What the classifier heard, where the safety screen has overruled it."""
    if only_goes_on(turn.text):
        return CRISIS_GO_ON
    heard = [g["name"] for g in turn.ranking if g["name"] not in SAFETY_INTENTS]
    return turn.intent if turn.intent not in SAFETY_INTENTS or not heard else str(heard[0])


def crisis_message(turn: Turn, tier: str, times_before: int) -> BotMessage:
    """The crisis reply for `tier`; the second and third are different and shorter."""
    return turn.house.replies.reply(
        tier,
        tuple(turn.safety.get("categories") or ()),
        channel=turn.channel,
        language=turn.language,
        clinic_state=turn.clinic.state,
        clinic_line=turn.clinic.phone.display if turn.clinic.phone else None,
        times_before=times_before,
    )


def _only_says_that_help_is_called(turn: Turn) -> bool:
    """Whether a message after a crisis reply says that they have called, and no other danger."""
    heard = {each["rule"] for each in turn.safety.get("evidence") or ()}
    return heard == {_HELP_CALLED} and bool(turn.tracker.get_slot(names.CRISIS_TURNS))


def _after_concern(dispatcher: CollectingDispatcher, turn: Turn) -> list[EventType]:
    if turn.intent in ("affirm", "unsure") or is_not_no(turn.text):
        times = int(turn.tracker.get_slot(names.CRISIS_TURNS) or 0)
        say(dispatcher, crisis_message(turn, TIER_CRISIS_SELF, times))
        return in_crisis(turn, TIER_CRISIS_SELF, "direct_question", times)
    if turn.intent in _NEITHER_YES_NOR_NO and not _asked_again(turn):
        say(dispatcher, crisis_message(turn, TIER_CONCERN, 1))
        return [SlotSet(names.PENDING, names.PENDING_CONCERN)]
    say(dispatcher, follow_up(turn, "concern_no"))
    events: list[EventType] = [SlotSet(names.PENDING, None)]
    if turn.intent.startswith("faq_"):  # a question instead of an answer: it is answered too
        events.append(FollowupAction(names.ACTION_FAQ))
    elif turn.intent == "ask_for_person":
        events.append(FollowupAction(names.ACTION_HANDOFF))
    else:
        for message in faq_messages(turn, _topics_that_waited(turn)):
            say(dispatcher, message)
    return events


def _asked_again(turn: Turn) -> bool:
    """Whether the direct question has just been asked for the second time."""
    return turn.responses_so_far()[-1:] == ["concern_check_again"]


def _topics_that_waited(turn: Turn) -> list[str]:
    """What the message asked that got the direct question in place of an answer."""
    earlier = [event for event in turn.tracker.events if event.get("event") == "user"][:-1]
    parsed = (earlier[-1].get("parse_data") or {}) if earlier else {}
    asked = [guess["name"] for guess in parsed.get("asked") or []]
    if not asked and asks(str(earlier[-1].get("text") if earlier else "")):
        heard = [
            guess
            for guess in parsed.get("intent_ranking") or []
            if guess["name"] not in SAFETY_INTENTS
        ]
        asked = [guess["name"] for guess in heard[:1] if guess["confidence"] >= _SURE]
    return [name.removeprefix("faq_") for name in asked if name.startswith(faq_intent(""))]


def in_crisis(turn: Turn, tier: str, rule: str | None, times_before: int) -> list[EventType]:
    """The conversation is in crisis: the risk stays on record, "can you call?" is open."""
    before = turn.tracker.get_slot(names.TIER) or TIER_NONE
    events: list[EventType] = [
        SlotSet(names.CRISIS_TURNS, times_before + 1),
        SlotSet(names.HANDOFF, HANDOFF_CRISIS),
        SlotSet(names.PENDING, names.PENDING_CRISIS),
    ]
    if higher_tier(before, tier) != before:
        events += [SlotSet(names.TIER, tier), SlotSet(names.TIER_RULE, rule)]
    return events


def follow_up(turn: Turn, name: str) -> BotMessage:
    """A reviewed text said after a disclosure, see `bot.safety.replies.FOLLOW_UPS`."""
    return turn.house.replies.follow_up(
        name,
        channel=turn.channel,
        language=turn.language,
        clinic_state=turn.clinic.state,
        clinic_line=turn.clinic.phone.display if turn.clinic.phone else None,
    )
