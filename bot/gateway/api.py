"""The web chat's API: JSON in, JSON out; see docs/architecture.md for the fields."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.gateway.in_flight import Answer, Shown
from bot.gateway.incoming import accepted_language
from bot.gateway.turn import Refused, Turns, owner_of
from bot.store import StoreError
from bot.store.records import OfferedButton, StoredMessage
from bot.turns import to_json
from bot.vocabulary import LANGUAGES

BODY_BYTES = 64 * 1024
_IDENTIFIER = re.compile(r"[A-Za-z0-9_.:-]{1,100}")


def routes(turns: Turns, clock: Callable[[], datetime]) -> list[Route]:
    """The routes under /api.

    Args:
        turns: answers the messages.
        clock: gives the present time, zone-aware.
    """

    async def begin(request: Request) -> Response:
        fields = await _fields(request)
        opened = await turns.open(
            _text(fields, "clinic"),
            "web",
            now=clock(),
            language=_language(fields),
            greet_in=accepted_language(request.headers.get("accept-language", "")),
        )
        return JSONResponse(
            {
                "conversation": opened.conversation,
                "token": opened.token,
                **_answer(opened.answer),
            },
            status_code=201,
        )

    async def say(request: Request) -> Response:
        # The order of arrival is the order in which bodies are complete.
        fields = await _fields(request)
        token = _token(request)
        said = [name for name in ("text", "button", "help_now") if name in fields]
        if len(said) != 1:
            raise Refused(422, 'give exactly one of "text", "button" and "help_now"')
        if said == ["help_now"] and fields["help_now"] is not True:
            raise Refused(422, '"help_now" can only be true')
        answer = await turns.take(
            _conversation(request),
            now=clock(),
            message_id=_identifier(fields, "id"),
            text=_text(fields, "text") if said == ["text"] else None,
            button=_identifier(fields, "button") if said == ["button"] else None,
            help_now=said == ["help_now"],
            language=_language(fields),
            allowed=owner_of(token),
        )
        return JSONResponse(_answer(answer))

    async def look_back(request: Request) -> Response:
        token = _token(request)
        after = request.query_params.get("after", "0")
        if not re.fullmatch(r"[0-9]{1,9}", after):
            raise Refused(422, '"after" must be the number of a message')
        messages = await turns.transcript(
            _conversation(request), after=int(after), allowed=owner_of(token)
        )
        return JSONResponse({"messages": [_stored(message) for message in messages]})

    async def write_or_read(request: Request) -> Response:
        return await (say(request) if request.method == "POST" else look_back(request))

    return [
        Route("/api/conversations", begin, methods=["POST"]),
        Route("/api/conversations/{conversation}/messages", write_or_read, methods=["GET", "POST"]),
    ]


async def refused(_: Request, error: Exception) -> Response:
    """The answer to a request that cannot be taken."""
    if not isinstance(error, Refused):
        raise error
    headers = {"WWW-Authenticate": "Bearer"} if error.status == 401 else None
    return JSONResponse({"error": error.reason}, status_code=error.status, headers=headers)


async def store_gone(_: Request, error: Exception) -> Response:
    """The answer while the store cannot be read; the reason is for the log, not for here."""
    return JSONResponse({"error": "we cannot look up this conversation right now"}, status_code=503)


async def _fields(request: Request) -> Mapping[str, Any]:
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > BODY_BYTES:
        raise Refused(413, f"a request may have at most {BODY_BYTES} bytes")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES:
            raise Refused(413, f"a request may have at most {BODY_BYTES} bytes")
    try:
        fields = json.loads(bytes(body))
    except ValueError as error:
        raise Refused(400, f"this is not valid JSON: {_json_reason(error)}") from None
    except RecursionError:
        raise Refused(400, "this is not valid JSON: nested too deeply") from None
    if not isinstance(fields, dict):
        raise Refused(422, "a JSON object is expected")
    return fields


def _json_reason(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at character {error.pos}"
    return "it is not UTF-8"


def _token(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Refused(401, "the conversation's token is missing: Authorization: Bearer ...")
    return token.strip()


def _conversation(request: Request) -> str:
    conversation = str(request.path_params["conversation"])
    if not _IDENTIFIER.fullmatch(conversation):
        raise Refused(404, "there is no such conversation")
    return conversation


def _text(fields: Mapping[str, Any], name: str) -> str:
    if name not in fields:
        raise Refused(422, f'"{name}" is missing')
    if not isinstance(fields[name], str):
        raise Refused(422, f'"{name}" must be a string')
    return str(fields[name])


def _identifier(fields: Mapping[str, Any], name: str) -> str:
    identifier = _text(fields, name)
    if not _IDENTIFIER.fullmatch(identifier):
        raise Refused(422, f'"{name}" must be 1 to 100 letters, digits or _ . : -')
    return identifier


def _language(fields: Mapping[str, Any]) -> str | None:
    if fields.get("language") is None:
        return None
    language = fields["language"]
    if language not in LANGUAGES:
        raise Refused(422, f'"language" must be one of {", ".join(LANGUAGES)}')
    return str(language)


def _answer(answer: Answer) -> dict[str, Any]:
    return {
        "messages": [_shown(message) for message in answer.messages],
        "state": to_json(answer.state),
    }


def _shown(message: Shown) -> dict[str, Any]:
    return {
        "seq": message.seq,
        "text": message.text,
        "buttons": _buttons(message.buttons),
        "response": message.response,
    }


def _stored(message: StoredMessage) -> dict[str, Any]:
    if message.direction == "in":
        return {
            "seq": message.seq,
            "from": "visitor",
            "id": message.client_id,
            "text": message.text,
        }
    return {
        "seq": message.seq,
        "from": "assistant",
        "text": message.text,
        "buttons": _buttons(message.buttons),
        "response": message.response,
    }


def _buttons(offered: tuple[OfferedButton, ...]) -> list[dict[str, str]]:
    return [{"id": choice.id, "label": choice.button.label} for choice in offered]


HANDLERS: dict[Any, Any] = {Refused: refused, StoreError: store_gone}
