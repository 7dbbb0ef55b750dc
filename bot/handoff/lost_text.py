"""A text that will never arrive: staff are told, because nobody else knows of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa

from bot.clinic.profile import Clinic
from bot.notify.notice import is_urgent, lost_text
from bot.store.handoffs import Handoffs
from bot.store.outbox import Outbox
from bot.store.sms_outbox import CRISIS, REPLY, STAFF

_TOLD = (CRISIS, REPLY, STAFF)  # not what the rules for texting make us send


def tell_of_lost_text(
    db: sa.engine.Connection,
    clinics: Mapping[str, Clinic],
    conversation: str,
    kind: str,
    now: datetime,
) -> None:
    """Put into the outbox that a text did not arrive, if it belongs to a record.

    Without a record there is nobody whom staff could call: log and /readyz have it.

    Args:
        clinics: profiles by id.
        conversation: of the text.
        kind: of the text, see `bot.store.sms_outbox`.
        now: zone-aware.
    """
    found = Handoffs(db).find(conversation)
    if found is None or kind not in _TOLD:
        return
    reference, record = found
    clinic = clinics.get(record.clinic)
    if clinic is None:
        return
    urgent = kind == CRISIS or is_urgent(record.tier, (record.level, record.at_least))
    Outbox(db).add(lost_text(clinic, reference, urgent=urgent, now=now))
