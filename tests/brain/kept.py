"""A brain whose turns are written down, as the gateway does it."""

from __future__ import annotations

import dataclasses

from sqlalchemy.engine import Engine

from bot.store import TrackerEvents, reading, writing
from bot.turns import TurnReply, TurnRequest, mark_of


class Kept:
    """Takes turns one after the other.

    Args:
        brain: a `bot.brain.brain.Brain`, or something like it.
        engine: the database that it reads.
    """

    def __init__(self, brain, engine: Engine):
        self._brain = brain
        self._engine = engine

    async def turn(self, request: TurnRequest) -> TurnReply:
        """The brain's answer, of which the row stands in the database."""
        reply = await self.ask(request)
        if reply.row is not None:
            with writing(self._engine) as db:
                TrackerEvents(db).keep(request.conversation, reply.row)
        return reply

    async def ask(self, request: TurnRequest) -> TurnReply:
        """The brain's answer, of which nothing is written down."""
        with reading(self._engine) as db:
            newest = TrackerEvents(db).newest(request.conversation)
        mark = mark_of(newest[1]) if newest else None
        return await self._brain.turn(dataclasses.replace(request, newest=mark))
