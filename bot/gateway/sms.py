"""Twilio's way in: texts that arrive, and what became of those that we sent.

Twilio signs with the account's token, the address as it called it and every field of the
body, blank ones too. The address is ours by configuration, never by a proxy's headers.
Source: https://www.twilio.com/docs/usage/webhooks/webhooks-security
"""

from __future__ import annotations

import asyncio
import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from twilio.request_validator import RequestValidator

from bot.clinic.profile import Clinic
from bot.gateway.body import whole_body
from bot.gateway.channels import CHANNELS
from bot.gateway.incoming import normalise
from bot.gateway.texting import Texting
from bot.gateway.turn import Turns
from bot.sms.keywords import OPT_OUT, load_keywords
from bot.store import StoreError
from bot.store.sms_inbox import Arrival

INCOMING = "/sms/twilio"
STATUS = "/sms/twilio/status"

_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")
_SENDER = re.compile(r"\+?[0-9]{3,20}")  # a phone number, or a short code
_MOST_FIELDS = 500

log = structlog.get_logger("handrail.sms")


class _Fields(dict[str, list[str]]):
    """The fields of a body, as the validator asks for them: all values of a name."""

    def getlist(self, name: str) -> list[str]:
        return self[name]


@dataclasses.dataclass(frozen=True)
class TwilioDoor:
    """How a request is known to come from Twilio.

    Attributes:
        public_url: HANDRAIL_PUBLIC_URL, which Twilio calls.
        tokens: the account's secrets; two while one replaces the other.
    """

    public_url: str
    tokens: Sequence[str] = dataclasses.field(default=(), repr=False)

    def admits(self, target: str, fields: Mapping[str, list[str]], signature: str) -> bool:
        """Whether this is signed by Twilio; `target` is path and query as they came."""
        address = f"{self.public_url}{target}"
        return any(
            RequestValidator(token).validate(address, fields, signature) for token in self.tokens
        )


def routes(
    door: TwilioDoor,
    clinics: Mapping[str, Clinic],
    texting: Texting,
    turns: Turns,
    clock: Callable[[], datetime],
) -> list[Route]:
    """The routes under /sms.

    Args:
        door: knows Twilio.
        clinics: profiles by id; a text belongs to the one whose number it was sent to.
        texting: keeps and answers texts.
        turns: says what can be said when a text cannot be kept.
        clock: gives the present time, zone-aware.
    """
    by_number = {str(clinic.sms.number): clinic.id for clinic in clinics.values() if clinic.sms}

    async def incoming(request: Request) -> Response:
        fields = await _signed(door, request)
        if fields is None:
            return _refused()
        sender, sid = _first(fields, "From"), _first(fields, "MessageSid")
        if not _SENDER.fullmatch(sender) or not _ID.fullmatch(sid):
            log.warning("a text without a usable sender or id")
            return JSONResponse({"error": "From and MessageSid are expected"}, status_code=400)
        text, clinic = _first(fields, "Body"), by_number.get(_first(fields, "To"))
        if clinic is None:
            log.error("a text to a number that no clinic's profile has")
            return _says(turns, text, None, clock())
        arrival = Arrival(
            sid=sid,
            idempotency=request.headers.get("i-twilio-idempotency-token") or None,
            sender=sender,
            clinic=clinic,
            text=normalise(text),
            media=_count(_first(fields, "NumMedia")),
            opt_out_type=_first(fields, "OptOutType").upper()[:10] or None,
            at=clock(),
        )
        try:
            await texting.accept(arrival)
        except StoreError as error:
            log.error("a text could not be kept", clinic=clinic, reason=str(error))
            if arrival.opt_out_type or load_keywords().exact(text) == OPT_OUT:
                # A wish that is not on record must not be confirmed: Twilio tries again.
                return Response(status_code=503)
            return _says(turns, text, clinic, clock())
        return _twiml()

    async def status(request: Request) -> Response:
        fields = await _signed(door, request)
        if fields is None:
            return _refused()
        try:
            await asyncio.to_thread(
                texting.told,
                request.query_params.get("id", ""),
                _first(fields, "MessageStatus"),
                _first(fields, "ErrorCode") or None,
            )
        except StoreError as error:
            log.error("what became of a text could not be kept", reason=str(error))
            return Response(status_code=503)
        return Response(status_code=204)

    return [
        Route(INCOMING, incoming, methods=["POST"]),
        Route(STATUS, status, methods=["POST"]),
    ]


async def _signed(door: TwilioDoor, request: Request) -> _Fields | None:
    """The fields of the body if Twilio signed it, else None."""
    body = await whole_body(request)
    try:
        fields = _Fields(
            parse_qs(
                body.decode("utf-8"),
                keep_blank_values=True,
                errors="strict",
                max_num_fields=_MOST_FIELDS,
            )
        )
    except ValueError:
        return None
    target = request.scope["raw_path"].decode("ascii", "replace").partition("?")[0]
    query = request.scope["query_string"].decode("ascii", "replace")
    signature = request.headers.get("x-twilio-signature", "")
    if door.admits(f"{target}?{query}" if query else target, fields, signature):
        return fields
    log.warning("a request that Twilio did not sign", tokens=len(door.tokens))
    return None


def _refused() -> Response:
    return JSONResponse({"error": "this is not signed by Twilio"}, status_code=403)


def _says(turns: Turns, text: str, clinic: str | None, now: datetime) -> Response:
    """An answer without the store: crisis help or an apology, by the provider itself."""
    message = turns.without_store(text, clinic=clinic, channel="sms", now=now)
    plain = dataclasses.replace(message, buttons=[])
    return _twiml(*(shown.text for shown in CHANNELS["sms"].render([plain])))


def _twiml(*texts: str) -> Response:
    messages = "".join(f"<Message>{escape(text)}</Message>" for text in texts)
    return Response(
        f'<?xml version="1.0" encoding="UTF-8"?><Response>{messages}</Response>',
        media_type="text/xml",
    )


def _first(fields: Mapping[str, list[str]], name: str) -> str:
    return fields.get(name, [""])[0]


def _count(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0
