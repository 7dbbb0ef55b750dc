"""The hand-off desk: commits a record, then gives its code."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import datetime
from random import Random, SystemRandom

from sqlalchemy.engine import Engine

from bot.clinic.profile import Clinic
from bot.handoff.records import HandoffRecord, Recorded
from bot.handoff.reference import new_reference
from bot.notify.notice import Event, Notice, notifications_for
from bot.store.engine import reading, writing
from bot.store.errors import Conflict
from bot.store.handoffs import Handoffs
from bot.store.outbox import Outbox

_TRIES = 5  # 24 million codes: two in a row that are taken mean that something is wrong


class HandoffDesk:
    """Writes hand-off records, and with each what staff are told of it.

    Args:
        engine: the database.
        clinics: profiles by id; they say who is told.
        random: where codes come from.
    """

    def __init__(self, engine: Engine, clinics: Mapping[str, Clinic], random: Random | None = None):
        self._engine = engine
        self._clinics = clinics
        self._random = random or SystemRandom()

    def record(self, record: HandoffRecord, now: datetime) -> Recorded:
        """Commit `record`; one that the conversation has already is updated.

        Contact details given earlier are kept where the new record has none.

        Raises:
            StoreError: nothing was stored, so nothing may be promised.
        """
        for _ in range(_TRIES):
            try:
                with writing(self._engine) as connection:
                    handoffs = Handoffs(connection)
                    found = handoffs.find(record.conversation)
                    if found is not None:
                        reference, earlier = found
                        record = _with_contact_of(earlier, record)
                        handoffs.replace(reference, record, now)
                        Outbox(connection).add(self._notices(reference, record, now))
                        return Recorded(reference, updated=True)
                    reference = new_reference(self._random)
                    handoffs.add(reference, record, now)
                    Outbox(connection).add(self._notices(reference, record, now))
                return Recorded(reference, updated=False)
            except Conflict:
                continue  # the code is taken, or the same conversation was first
        raise Conflict("no free reference code was found; is the random source broken?")

    def _notices(self, reference: str, record: HandoffRecord, now: datetime) -> list[Notice]:
        event = Event(
            clinic=record.clinic,
            conversation=record.conversation,
            reference=reference,
            tier=record.tier,
            levels=(record.level, record.at_least),
            kind=record.kind,
            can_be_called=record.phone is not None,
            at=now,
        )
        return notifications_for(event, self._clinics.get(record.clinic))

    def has_contact(self, conversation: str) -> bool:
        """Whether a phone number is on record for this conversation."""
        with reading(self._engine) as connection:
            found = Handoffs(connection).find(conversation)
        return found is not None and found[1].phone is not None


def _with_contact_of(earlier: HandoffRecord, record: HandoffRecord) -> HandoffRecord:
    kept = {
        name: getattr(earlier, name)
        for name in ("name", "phone", "best_time", "ok_voicemail", "consent")
        if getattr(record, name) is None
    }
    return dataclasses.replace(record, **kept)
