"""Notices by webhook, signed as Standard Webhooks says.

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
(headers, signature, 2xx is success, no redirects).
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

import httpx
from standardwebhooks import Webhook

from bot.clinic.profile import Clinic
from bot.notify.wording import body_of
from bot.sending import PATIENCE, Failed, NotReady
from bot.store.outbox import Notification
from bot.worker.channel import Send

# Answers of the 4xx kind that ask for another try: timeout, too early, too many requests.
_LATER = (408, 425, 429)
_PREFIX = "whsec_"
_LEAST_CHARACTERS = len(_PREFIX) + 32  # 24 bytes, the least that the standard allows


class Webhooks:
    """Posts to the clinics' webhooks.

    Args:
        clinics: profiles by id; they name the variables with the secrets.
        environment: where the secrets are.
        console: the address at which staff open the console.
        clock: gives the present time, zone-aware; it is part of the signature.
        patience: seconds for the receiver to answer; from the beginning to the end, because
            what comes drop by drop would hold up everybody's notices.
    """

    def __init__(
        self,
        clinics: Mapping[str, Clinic],
        environment: Mapping[str, str],
        console: str,
        clock: Callable[[], datetime],
        *,
        patience: float = PATIENCE,
    ):
        self._clinics = clinics
        self._environment = environment
        self._console = console
        self._clock = clock
        self._patience = patience

    def receiver(self, notification: Notification) -> str:
        """See `bot.worker.channel.Channel`."""
        return f"{notification.clinic} {notification.target}"

    @contextmanager
    def session(self, first: Notification) -> Iterator[Send]:
        """See `bot.worker.channel.Channel`."""
        signer = read_secret(self._clinics.get(first.clinic), first.target, self._environment)
        yield lambda notification: self._post(signer, notification)

    def _post(self, signer: Webhook, notification: Notification) -> None:
        body = body_of(
            notification.kind,
            notification.clinic,
            notification.payload,
            notification.created,
            self._console,
        )
        now = self._clock()
        headers = {
            "content-type": "application/json",
            "webhook-id": notification.id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": signer.sign(notification.id, now, body),
        }
        answer = _status(notification.target, body, headers)
        try:
            status = asyncio.run(asyncio.wait_for(answer, self._patience))
        except (httpx.HTTPError, asyncio.TimeoutError) as error:
            raise Failed(
                f"the webhook cannot be reached ({type(error).__name__})", down=True
            ) from None
        if not 200 <= status < 300:
            refused = 300 <= status < 500 and status not in _LATER
            raise Failed(f"the webhook answered {status}", refused=refused)


async def _status(url: str, body: str, headers: Mapping[str, str]) -> int:
    # The answer's body is nobody's business here, and may be without end.
    async with (
        httpx.AsyncClient(timeout=None) as client,  # noqa: S113 - the caller has one
        client.stream("POST", url, content=body, headers=headers) as response,
    ):
        return response.status_code


def read_secret(clinic: Clinic | None, url: str, environment: Mapping[str, str]) -> Webhook:
    """What signs for this webhook of this clinic.

    Raises:
        NotReady: the clinic has no such webhook any more, or its secret is missing or
            unusable; the text never quotes the secret.
    """
    webhook = clinic.notifications.webhook if clinic else None
    if webhook is None or webhook.url != url:
        raise NotReady("this webhook no longer stands in the clinic's profile")
    variable = webhook.secret_from
    secret = environment.get(variable)
    if not secret:
        raise NotReady(f"{variable}, the secret of a webhook, is not set")
    try:
        # The library would pass over characters that are not base64.
        base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        secret = ""
    if not secret.startswith(_PREFIX) or len(secret) < _LEAST_CHARACTERS:
        raise NotReady(f"{variable}, the secret of a webhook, must be whsec_ and base64")
    return Webhook(secret)
