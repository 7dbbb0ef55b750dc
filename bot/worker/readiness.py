"""What keeps notices and texts from going out, so that an operator sees it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa
import structlog

from bot.clinic.profile import Clinic
from bot.sending import NotReady
from bot.store import reading
from bot.store.sms_outbox import SmsOutbox
from bot.worker.mail import read_mail_server
from bot.worker.webhook import read_secret

log = structlog.get_logger("handrail.worker")


def not_ready(
    clinics: Mapping[str, Clinic], smtp: str | None, environment: Mapping[str, str]
) -> list[str]:
    """Every setting that the clinics' targets need and that is not there, in words.

    Args:
        clinics: profiles by id.
        smtp: HANDRAIL_SMTP.
        environment: where the webhooks' secrets are.
    """
    reasons: dict[str, None] = {}
    for clinic in clinics.values():
        told = clinic.notifications
        try:
            if smtp or told.coordinators or told.supervisors:  # a mistake in it is one anyway
                read_mail_server(smtp)
        except NotReady as error:
            reasons[str(error)] = None
        try:
            if told.webhook is not None:
                read_secret(clinic, told.webhook.url, environment)
        except NotReady as error:
            reasons[str(error)] = None
    return list(reasons)


def say_if_texts_are_late(engine: sa.engine.Engine, now: datetime) -> None:
    """An error in the log while texts wait that should have gone out long ago."""
    with reading(engine) as db:
        backlog = SmsOutbox(db).backlog(now)
    if backlog.late and backlog.oldest is not None:
        minutes = round((now - backlog.oldest).total_seconds() / 60)
        log.error("texts wait too long", waiting=backlog.waiting, oldest_minutes=minutes)
