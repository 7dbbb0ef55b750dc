"""FAQ answers, straight from the clinic's profile."""

from __future__ import annotations

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType, FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions.questions import is_for_the_questionnaire
from actions.turn import Turn, say
from bot.brain import names
from bot.turns import BotMessage, Button
from bot.vocabulary import faq_intent


class ActionFaq(Action):
    """Answers the topic that the intent names."""

    def name(self) -> str:
        """Name in domain.yml."""
        return names.ACTION_FAQ

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[EventType]:
        """Says the answer; follow-up topics are offered only outside forms."""
        turn = Turn(tracker)
        if is_for_the_questionnaire(turn):
            return [FollowupAction(names.TRIAGE_FORM)]
        say(dispatcher, faq_message(turn, turn.intent.removeprefix("faq_")))
        return [SlotSet(names.MISSES, 0)]


def faq_message(turn: Turn, topic: str) -> BotMessage:
    """The clinic's answer to `topic` in the turn's language and for its channel."""
    answer = turn.clinic.answer(topic, language=turn.language, channel=turn.channel)
    in_form = bool(turn.tracker.active_loop.get("name"))
    follow_ups = [] if in_form else [topic_button(turn, other) for other in answer.follow_up]
    return BotMessage(text=answer.text, response=faq_intent(topic), buttons=follow_ups)


def topic_button(turn: Turn, topic: str) -> Button:
    """A button that asks for `topic`."""
    return Button(turn.house.topics.label(topic, turn.language, turn.clinic), faq_intent(topic))
