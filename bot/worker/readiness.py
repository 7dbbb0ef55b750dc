"""What keeps notices from being sent: settings that are missing or unusable."""

from __future__ import annotations

from collections.abc import Mapping

from bot.clinic.profile import Clinic
from bot.worker.channel import NotReady
from bot.worker.mail import read_mail_server
from bot.worker.webhook import read_secret


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
            if told.coordinators or told.supervisors:
                read_mail_server(smtp)
        except NotReady as error:
            reasons[str(error)] = None
        try:
            if told.webhook is not None:
                read_secret(clinic, told.webhook.url, environment)
        except NotReady as error:
            reasons[str(error)] = None
    return list(reasons)
