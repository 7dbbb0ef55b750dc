"""FAQ answers, straight from the clinic's profile."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType, FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions.questions import is_for_the_questionnaire
from actions.turn import Turn, say
from bot.brain import names
from bot.turns import BotMessage, Button
from bot.vocabulary import TIER_NONE, VISITOR_ACTS, faq_intent

_AT_ONCE = 2  # answers to one message; what else was asked is offered as buttons
_MOST_CHOICES = 3
_COMPARISON = "difference_iop_outpatient"
_COMPARED = {"what_is_iop", "what_is_outpatient"}
_WARNS = "detox"  # to stop suddenly is dangerous: said again to whoever asks again
_NEXT_BEST = 0.15  # a topic that likely answers what the clinic has no entry for
_RELATED = 0.02  # and one that is worth offering then


class ActionFaq(Action):
    """Answers the topic that the intent names, and a second one that the message asks."""

    def name(self) -> str:
        """Name in domain.yml."""
        return names.ACTION_FAQ

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[EventType]:
        """Says the answers; follow-up topics are offered only outside forms."""
        turn = Turn(tracker)
        if is_for_the_questionnaire(turn):
            return [FollowupAction(names.TRIAGE_FORM)]
        asked = topics_asked(turn) or _of_the_levels_named(turn, [turn.intent.removeprefix("faq_")])
        for message in faq_messages(turn, asked):
            say(dispatcher, message)
        return [SlotSet(names.MISSES, 0)]


def topics_asked(turn: Turn) -> list[str]:
    """The topics of all questions in a message, in its order; empty if none stands out."""
    asked = [each.removeprefix("faq_") for each in turn.asked if each.startswith(faq_intent(""))]
    return _of_the_levels_named(turn, asked)


def _of_the_levels_named(turn: Turn, topics: list[str]) -> list[str]:
    """The articles compare IOP and outpatient care; "PHP or IOP?" asks what each of them is."""
    levels = turn.house.topics.levels_named(turn.text)
    compared = [topic for topic in topics if topic == _COMPARISON or topic in levels]
    if not compared or set(levels) <= _COMPARED:
        return topics
    place = topics.index(compared[0])
    return list(dict.fromkeys([*topics[:place], *levels, *topics[place + 1 :]]))


def answers_beside(turn: Turn) -> list[BotMessage]:
    """Answers to what a message asks beside the act that its intent is.

    "I'd like somebody to call me, and do you take Aetna?" is a wish, which a rule takes
    up, and a question.
    """
    an_act = turn.intent in VISITOR_ACTS and turn.safety["tier"] == TIER_NONE
    return faq_messages(turn, topics_asked(turn)) if an_act else []


def faq_messages(turn: Turn, topics: Sequence[str]) -> list[BotMessage]:
    """The clinic's answers to at most two topics; the last one offers what to ask next.

    Args:
        topics: without repetition; further ones become the buttons.
    """
    if not topics:
        return []
    in_form = bool(turn.tracker.active_loop.get("name"))
    first, further = topics[:_AT_ONCE], topics[_AT_ONCE:]
    messages = [_answer(turn, topic) for topic in first]
    again = len(messages) == 1 and turn.has_just_said(messages[0].response)
    if again and first[0] != _WARNS:
        messages = [turn.message("faq_again")]
    if in_form:
        return [BotMessage(message.text, message.response) for message in messages]
    offered = [button for message in messages for button in message.buttons]
    said = {faq_intent(topic) for topic in first}
    buttons = [topic_button(turn, topic) for topic in further if turn.clinic.has_topic(topic)]
    for button in offered:
        if button.intent not in said and button not in buttons:
            buttons.append(button)
    *before, last = messages
    return [
        *(BotMessage(message.text, message.response) for message in before),
        BotMessage(last.text, last.response, buttons[:_MOST_CHOICES]),
    ]


def topic_button(turn: Turn, topic: str) -> Button:
    """A button that asks for `topic`."""
    return Button(turn.house.topics.label(topic, turn.language, turn.clinic), faq_intent(topic))


def likely_topics(turn: Turn, least: float) -> Iterator[str]:
    """The topics that this clinic answers and that are at least that likely, best first."""
    for guess in turn.ranking:
        topic = guess["name"].removeprefix("faq_")
        if guess["confidence"] >= least and turn.clinic.has_topic(topic):
            yield topic


def _answer(turn: Turn, topic: str) -> BotMessage:
    """One answer; an entry that another clinic added is never answered for this one."""
    if turn.clinic.has_topic(topic):
        answer = turn.clinic.answer(topic, language=turn.language, channel=turn.channel)
        follow_ups = [topic_button(turn, other) for other in answer.follow_up]
        return BotMessage(answer.text, faq_intent(topic), follow_ups)
    next_best = next(likely_topics(turn, _NEXT_BEST), None)
    if next_best:
        return _answer(turn, next_best)
    silent = turn.message("faq_silent")
    related = [topic_button(turn, other) for other in likely_topics(turn, _RELATED)]
    return BotMessage(silent.text, silent.response, [*related[:2], *silent.buttons])
