"""What the assistant puts together while it runs, as it goes out by SMS.

Questions with their recaps and notes of progress, results, answers to two questions at once, the
callback form: `pytest -s tests/sms/test_composed_texts.py` prints what they cost.
"""

from __future__ import annotations

from collections import Counter

import pytest

from bot.clinic.gsm7 import outside, segments
from bot.texts.messages import load_texts
from bot.vocabulary import CONFIRM, FAQ_TOPICS, LANGUAGES
from tests.dialogue.visitor import MONDAY_MORNING, THANKSGIVING
from tests.sms.node_oracles import npm, twilio_counts  # noqa: F401

CLINICS = ("greater_boston", "time_wellness_georgia")
_TURNS = 30  # more than any form has questions
_START = {"en": "help me find the right program", "es": "quiero encontrar el programa adecuado"}
_CALL = {"en": "please have someone call me", "es": "quiero que me llamen por favor"}
_FIELDS = {
    "name": "Ana",
    "phone": "617-555-0142",
    "state": "Massachusetts",
    "best_time": "tomorrow 10am",
}


class Texter:
    """A visitor by SMS; keeps what came back."""

    def __init__(self, ask, clinic: str, language: str, now=MONDAY_MORNING):
        self.visitor = ask(clinic, channel="sms", language=language, now=now)
        self.language = language
        self.heard: list[str] = []

    def says(self, text: str) -> None:
        self.visitor.says(text)
        self.heard += [message.text for message in self.visitor.answer.messages]

    def answers(self, which: int) -> None:
        """Answer by the choice at this place whatever is asked, until nothing is asked.

        A recap is answered so once, and then with the first choice: yes.
        """
        recaps = 0
        for _ in range(_TURNS):
            field, choices = self.visitor.state.open_question, self.visitor.buttons
            if field is None:
                return
            recaps += field == CONFIRM
            if len(choices) < 2 and which >= 0:
                self.says(_FIELDS[field])
            elif choices:
                place = 0 if recaps > 1 and field == CONFIRM else which
                self.says(str(range(len(choices))[max(-1, min(place, len(choices) - 1))] + 1))
            else:
                self.says(_FIELDS.get(field, "617-555-0142"))
        raise AssertionError(f"the form does not end: {self.heard[-3:]}")


def walks(ask, language: str):
    """Every question about the clinic, the questionnaire in several ways, requests for a call."""
    asking = Texter(ask, CLINICS[0], language)
    for topic in FAQ_TOPICS:
        button = load_texts().choices.get(topic)
        asking.says(getattr(button, language) if button else topic.replace("_", " "))
    yield asking.heard
    # The first choice of all, the second, and the last one, which skips.
    for which, clinic, now in (
        (0, CLINICS[0], MONDAY_MORNING),
        (1, CLINICS[1], MONDAY_MORNING),
        (-1, CLINICS[0], THANKSGIVING),
    ):
        triage = Texter(ask, clinic, language, now)
        triage.says(_START[language])
        triage.answers(which)
        triage.says(_CALL[language])
        triage.answers(0)
        yield triage.heard


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_composed_is_short_and_counted_as_twilio_counts_it(
    ask,
    language,
    twilio_counts,  # noqa: F811
):
    heard = sorted({text for walk in walks(ask, language) for text in walk})
    counted = Counter(map(segments, heard))
    costly = Counter(character for text in heard for character in outside(text))
    print(f"\n{language}: {len(heard)} texts, segments {dict(sorted(counted.items()))}, {costly}")
    assert len(heard) > 60
    assert [text for text in heard if len(text) > 320] == []
    assert [segments(text) for text in heard] == twilio_counts(heard)
    if language == "en":
        assert costly == {}
