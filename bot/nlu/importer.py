"""Rasa importer: the project's own files, and the questions that clinic admins add.

Each entry under `extra_faq` of a clinic's profile becomes an intent `faq_<id>`: its
phrasings are training examples, the intent is known to the domain, and a rule has
`action_faq` answer it. Named in config.yml, so that `handrail train`, `rasa train`
and `rasa data validate` all read the same.

Entries of two clinics with one id are one question, which each answers for itself. What
a visitor of a clinic without the entry hears is decided when it is answered (actions/faq.py).
"""

from __future__ import annotations

from rasa.shared.core.domain import Domain
from rasa.shared.core.training_data.story_reader.yaml_story_reader import YAMLStoryReader
from rasa.shared.core.training_data.structures import StoryGraph
from rasa.shared.importers.rasa import RasaFileImporter
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.brain.names import ACTION_FAQ
from bot.clinic.profile import added_questions, load_clinics
from bot.settings import Settings
from bot.vocabulary import faq_intent


class ClinicImporter(RasaFileImporter):
    """Reads data/, domain.yml and the clinics' profiles.

    Every method raises `bot.reviewed.DataError` if a profile cannot be used.
    """

    def get_nlu_data(self, language: str | None = "en") -> TrainingData:
        """The examples of data/nlu and the phrasings of the profiles."""
        return super().get_nlu_data(language).merge(TrainingData(_examples()))

    def get_domain(self) -> Domain:
        """domain.yml with one more intent for each added entry."""
        intents = [faq_intent(topic) for topic in _questions()]
        return super().get_domain().merge(Domain.from_dict({"intents": intents}))

    def get_stories(self, exclusion_percentage: int | None = None) -> StoryGraph:
        """The rules of data/stories and one for each added entry."""
        rules = [
            {
                "rule": f"answer {topic}, added by a clinic",
                "steps": [{"intent": faq_intent(topic)}, {"action": ACTION_FAQ}],
            }
            for topic in _questions()
        ]
        steps = YAMLStoryReader(self.get_domain()).read_from_parsed_yaml(
            {"version": "3.1", "rules": rules}
        )
        return super().get_stories(exclusion_percentage).merge(StoryGraph(steps))


def _questions() -> dict[str, list[str]]:
    return added_questions(load_clinics(Settings.from_environment().clinics))


def _examples() -> list[Message]:
    return [
        Message.build(text=phrasing, intent=faq_intent(topic))
        for topic, phrasings in _questions().items()
        for phrasing in phrasings
    ]
