"""Not understood: offer the likeliest topics, then a person."""

from __future__ import annotations

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType, FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions.faq import topic_button
from actions.questions import is_for_the_questionnaire
from actions.turn import Turn, say
from bot.brain import names
from bot.turns import BotMessage
from bot.vocabulary import FAQ_TOPICS

_LIKELY = 0.08  # below this a topic is a wild guess
_MOST_CHOICES = 3


class ActionRepair(Action):
    """Asks to rephrase once; the second time in a row it offers a person."""

    def name(self) -> str:
        """Name in domain.yml."""
        return names.ACTION_REPAIR

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[EventType]:
        """Counts misses in a row in the slot `misses`."""
        turn = Turn(tracker)
        if is_for_the_questionnaire(turn):
            return [FollowupAction(names.TRIAGE_FORM)]
        misses = int(tracker.get_slot(names.MISSES) or 0) + 1
        if not any(character.isalnum() for character in turn.text):
            say(dispatcher, turn.message("empty_message"))
        elif misses >= 2:
            say(dispatcher, turn.message("repair_person"))
        else:
            say(dispatcher, _likely_topics(turn))
        return [SlotSet(names.MISSES, misses)]


def _likely_topics(turn: Turn) -> BotMessage:
    topics = [
        guess["name"].removeprefix("faq_")
        for guess in turn.ranking
        if guess["confidence"] >= _LIKELY and guess["name"].removeprefix("faq_") in FAQ_TOPICS
    ][:_MOST_CHOICES]
    if not topics:
        return turn.message("repair_first")
    text = turn.text_of("repair_choices")
    return BotMessage(text, "repair_choices", [topic_button(turn, topic) for topic in topics])
