"""What the actions of one process work with: clinics, texts, rules, the hand-off desk.

Rasa creates actions without arguments, so the process that runs them says once
what is in the house: `install(open_house(settings))`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from sqlalchemy.engine import Engine

from bot.care.engine import Rules, load_rules
from bot.care.questionnaire import Questionnaire, load_questionnaire
from bot.clinic.profile import Clinic, load_clinics
from bot.clinic.topics import Topics, load_topics
from bot.handoff.desk import HandoffDesk
from bot.safety.replies import CrisisReplies, load_replies
from bot.settings import Settings
from bot.store import migrate, open_store
from bot.texts.messages import Texts, load_texts


@dataclasses.dataclass(frozen=True)
class House:
    """Everything that actions read, and the desk to which they write."""

    clinics: Mapping[str, Clinic]
    topics: Topics
    texts: Texts
    questionnaire: Questionnaire
    rules: Rules
    replies: CrisisReplies
    desk: HandoffDesk


_installed: House | None = None


def open_house(settings: Settings, engine: Engine) -> House:
    """Load all reviewed data; raises `DataError` if any of it is wrong."""
    clinics = load_clinics(settings.clinics)
    return House(
        clinics=clinics,
        topics=load_topics(),
        texts=load_texts(),
        questionnaire=load_questionnaire(),
        rules=load_rules(),
        replies=load_replies(),
        desk=HandoffDesk(engine, clinics),
    )


def install(house: House) -> None:
    """Make `house` the one that actions of this process work with."""
    global _installed
    _installed = house


def current() -> House:
    """The installed house.

    Under Rasa's own `rasa run actions` nobody installs one: then it is opened on the
    settings of the environment, as every process of ours does.
    """
    if _installed is None:
        settings = Settings.from_environment()
        engine = open_store(settings)
        migrate(engine)
        house = open_house(settings, engine)
        install(house)
        return house
    return _installed
