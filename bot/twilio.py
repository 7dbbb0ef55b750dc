"""Texts handed in at Twilio, over its REST API."""

from __future__ import annotations

import logging
from typing import Any

import requests
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from bot.sending import PATIENCE, Failed, HandedIn, NotReady, Refused
from bot.settings import Settings

HOST = "https://api.twilio.com"
_ACCOUNT_CODES = (20003, 20005)  # wrong token; account not active: for an operator to mend
_LATER = (408, 409, 425, 429)


class Twilio:
    """Twilio.

    Args:
        account, token: of HANDRAIL_TWILIO_ACCOUNT and HANDRAIL_TWILIO_TOKENS.
        api: where texts are handed in; another host than Twilio's own stands in for it.
        callback: our address that hears what became of a text.
        patience: seconds for an answer.
    """

    def __init__(
        self,
        account: str,
        token: str,
        *,
        api: str = HOST,
        callback: str,
        patience: float = PATIENCE,
    ):
        self._callback = callback
        self._client = Client(account, token, http_client=_At(api, patience))

    @classmethod
    def of_settings(cls, settings: Settings, *, patience: float = PATIENCE) -> Twilio | None:
        """The installation's account; None where none is set."""
        if not settings.twilio_account or not settings.twilio_tokens:
            return None
        return cls(
            settings.twilio_account,
            settings.twilio_tokens[0],
            api=settings.twilio_api,
            callback=f"{settings.public_url}/sms/twilio/status",
            patience=patience,
        )

    def send(self, *, sender: str, to: str, text: str, identity: str) -> HandedIn:
        """See `bot.sending.Provider`."""
        try:
            taken = self._client.messages.create(
                to=to,
                from_=sender,
                body=text,
                status_callback=f"{self._callback}?id={identity}",
            )
        except requests.RequestException as error:
            reason = f"Twilio cannot be reached ({type(error).__name__})"
            raise Failed(reason, down=True) from None
        except TwilioRestException as error:
            raise _failure(error) from None
        except (ValueError, TypeError, AttributeError) as error:
            # The library expects what Twilio says; a proxy in between may say anything.
            raise Failed(f"Twilio's answer cannot be read ({type(error).__name__})") from None
        return HandedIn(str(taken.sid), str(taken.status))


class _At(TwilioHttpClient):  # type: ignore[misc]
    """The library's client, which can also talk to a stand-in."""

    def __init__(self, api: str, patience: float):
        quiet = logging.getLogger("handrail.twilio")  # it would log what it sends
        quiet.disabled = True
        super().__init__(timeout=patience, logger=quiet)
        self._api = api.rstrip("/")

    def request(self, method: str, url: str, *args: Any, **named: Any) -> Any:
        return super().request(method, url.replace(HOST, self._api, 1), *args, **named)


def _failure(error: TwilioRestException) -> Exception:
    if error.code in _ACCOUNT_CODES or error.status in (401, 403):
        return NotReady(f"Twilio refuses the account ({error.code or error.status})")
    if error.status >= 500 or error.status in _LATER:
        return Failed(f"Twilio answered {error.status}", down=error.status >= 500)
    return Refused(str(error.code or error.status))
