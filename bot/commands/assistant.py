"""The whole assistant in one process: gateway and brain without a socket between.

Used by `handrail converse`, `handrail chat`, `handrail parse` and the dialogue tests.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from sqlalchemy.engine import Engine

from bot.brain.brain import Brain, TurnFailed, load_brain
from bot.brain.house import open_house
from bot.clinic.profile import Clinic
from bot.gateway.brain import BrainError
from bot.gateway.own_words import OwnWords
from bot.gateway.turn import Turns
from bot.nlu.sentence_encoder import encode
from bot.safety.screen import load_screen
from bot.settings import Settings
from bot.store import StoreError, migrate, open_store
from bot.turns import TurnReply, TurnRequest

# One process has nobody to fall back to for a slow first turn: the model warms up in it.
_DEADLINE = 60.0


class InProcessBrain:
    """The brain as the gateway sees it, in the same process."""

    def __init__(self, brain: Brain):
        self._brain = brain

    async def turn(self, request: TurnRequest) -> TurnReply:
        """See `bot.gateway.brain.Brain.turn`."""
        try:
            return await self._brain.turn(request)
        except (TurnFailed, StoreError) as error:
            raise BrainError(str(error)) from error

    async def ready(self) -> bool:
        """See `bot.gateway.brain.Brain.ready`."""
        try:
            await self._brain.ready()
        except (TurnFailed, StoreError):
            return False
        return True

    async def close(self) -> None:
        """Nothing is held open."""


@dataclasses.dataclass(frozen=True)
class Assistant:
    """A loaded assistant; `turns` is the way in."""

    brain: Brain
    turns: Turns
    clinics: Mapping[str, Clinic]
    engine: Engine


async def load_assistant(settings: Settings) -> Assistant:
    """Load everything; the database of `settings` is created if it is not there.

    Raises:
        TurnFailed, DataError, StoreError: what it needs cannot be used.
    """
    engine = open_store(settings)
    migrate(engine)
    house = open_house(settings, engine)
    brain = await load_brain(settings, engine, house)
    turns = Turns(
        clinics=house.clinics,
        screen=load_screen(classifier_path=settings.safety_model, encode=encode),
        words=OwnWords(house.clinics, house.replies, house.texts),
        engine=engine,
        brain=InProcessBrain(brain),
        deadline=_DEADLINE,
    )
    return Assistant(brain, turns, house.clinics, engine)
