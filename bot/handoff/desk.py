"""The hand-off desk: commits a record, then gives its code.

One open request per person and day: a request from the same conversation, or with the
same phone number for the same clinic on the same day, updates the record that is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from random import Random, SystemRandom

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from bot.clinic.hours import local_date
from bot.clinic.profile import Clinic
from bot.handoff.records import HandoffRecord, Recorded, merged
from bot.handoff.reference import new_reference
from bot.notify.notice import Event, Notice, notifications_for
from bot.store.engine import writing
from bot.store.errors import Conflict
from bot.store.handoffs import Handoffs
from bot.store.outbox import Outbox

_TRIES = 5  # 24 million codes: two in a row that are taken mean that something is wrong


class HandoffDesk:
    """Writes hand-off records, and with each what staff are told of it.

    Args:
        engine: the database.
        clinics: profiles by id; they say who is told, and which day it is there.
        random: where codes come from.
    """

    def __init__(self, engine: Engine, clinics: Mapping[str, Clinic], random: Random | None = None):
        self._engine = engine
        self._clinics = clinics
        self._random = random or SystemRandom()

    def record(self, record: HandoffRecord, now: datetime) -> Recorded:
        """Commit `record`, or update with it the one that the person has already.

        Args:
            record: the hand-off.
            now: zone-aware.

        Raises:
            StoreError: nothing was stored, so nothing may be promised.
        """
        with writing(self._engine) as connection:
            return self.write(connection, record, now)

    def write(self, connection: Connection, record: HandoffRecord, now: datetime) -> Recorded:
        """The same inside the caller's transaction."""
        for _ in range(_TRIES):
            try:
                # A savepoint: a code that is taken, or somebody who was first, must not
                # undo what the caller has written.
                with connection.begin_nested():
                    recorded, written = self._write(Handoffs(connection), record, now)
            except sa.exc.IntegrityError:
                continue
            Outbox(connection).add(self._notices(recorded.reference, written, now))
            return recorded
        raise Conflict("no free reference code was found; is the random source broken?")

    def _write(
        self, handoffs: Handoffs, record: HandoffRecord, now: datetime
    ) -> tuple[Recorded, HandoffRecord]:
        today = self._today(record.clinic, now)
        own = handoffs.find(record.conversation)
        found = handoffs.of_person(record.clinic, record.phone, today) or own
        if found is None:
            reference = new_reference(self._random)
            handoffs.add(reference, record, now, today)
            return Recorded(reference, updated=False), record
        reference, earlier = found
        requested_before = earlier.phone is not None
        if own is not None and own[0] != reference:
            # The same person began a second record before the number was known.
            handoffs.merge(own[0], into=reference, now=now)
            handoffs.follow(record.conversation, reference)
            record = merged(own[1], record)
        handoffs.follow(record.conversation, reference)
        record = merged(earlier, record)
        handoffs.replace(reference, record, now, today)
        return Recorded(reference, updated=True, requested_before=requested_before), record

    def _today(self, clinic: str, now: datetime) -> date:
        profile = self._clinics.get(clinic)
        return local_date(profile, now) if profile else now.date()

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
