"""Not understood: offer what is likeliest meant, then a person."""

from __future__ import annotations

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType, FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions.faq import topic_button
from actions.questions import is_for_the_questionnaire
from actions.turn import Turn, say
from bot.brain import names
from bot.turns import BotMessage, Button

# Below this a choice is a wild guess: at 0.1 the choices hold what was meant in 69 % of the
# held-out messages that are asked back, with 1.6 choices on average; lower adds only buttons.
_LIKELY = 0.1
_WISHES = ("start_triage", "ask_for_person", "request_callback")
_MOST_CHOICES = 3
ACTION_LISTEN = "action_listen"  # Rasa's name for "nothing more to say"


class ActionRepair(Action):
    """Asks to rephrase once; the second time in a row it offers a person."""

    def name(self) -> str:
        """Name in domain.yml."""
        return names.ACTION_REPAIR

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[EventType]:
        """Counts misses in a row in the slot `misses`.

        It also answers where no rule says what is next, and would be chosen again and
        again there: what follows is said here, the open form's question or nothing.
        """
        turn = Turn(tracker)
        if is_for_the_questionnaire(turn):
            return [FollowupAction(names.TRIAGE_FORM)]
        misses = int(tracker.get_slot(names.MISSES) or 0) + 1
        if not any(character.isalnum() for character in turn.text):
            say(dispatcher, turn.message("empty_message"))
        elif misses >= 2:
            say(dispatcher, turn.message("repair_person"))
        else:
            say(dispatcher, _likely_meanings(turn))
        following = tracker.active_loop.get("name") or ACTION_LISTEN
        return [SlotSet(names.MISSES, misses), FollowupAction(following)]


def _likely_meanings(turn: Turn) -> BotMessage:
    """The two or three likeliest topics and wishes as choices; none that is a wild guess."""
    choices: list[Button] = []
    for guess in turn.ranking:
        name, topic = guess["name"], guess["name"].removeprefix("faq_")
        if guess["confidence"] < _LIKELY:
            continue
        if turn.clinic.has_topic(topic):
            choices.append(topic_button(turn, topic))
        elif name in _WISHES:
            choices.append(turn.house.texts.button(name, turn.language))
    if not choices:
        return turn.message("repair_first")
    text = turn.text_of("repair_choices")
    return BotMessage(text, "repair_choices", choices[:_MOST_CHOICES])
