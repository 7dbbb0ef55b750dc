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

from bot.clinic.hours import describe, line_state
from bot.clinic.profile import Clinic
from bot.gateway.body import whole_body
from bot.gateway.events import Streams
from bot.gateway.in_flight import Answer, Shown
from bot.gateway.incoming import accepted_language
from bot.gateway.limits import Limits
from bot.gateway.origins import admit, may_use, origin_of
from bot.gateway.own_words import OwnWords
from bot.gateway.refused import NO_SUCH_CONVERSATION, Refused
from bot.gateway.tokens import owner_of
from bot.gateway.turn import Turns
from bot.store import StoreError
from bot.store.records import Conversation, OfferedButton, StoredMessage
from bot.vocabulary import BY_STAFF, LANGUAGES

_IDENTIFIER = re.compile(r"[A-Za-z0-9_.:-]{1,100}")


def routes(
    clinics: Mapping[str, Clinic],
    turns: Turns,
    streams: Streams,
    words: OwnWords,
    limits: Limits,
    clock: Callable[[], datetime],
) -> list[Route]:
    """The routes under /api.

    Args:
        clinics: profiles by id.
        turns: answers the messages.
        streams: tells what happens in a conversation.
        words: says when a clinic's line opens.
        limits: counts what every sender asks.
        clock: gives the present time, zone-aware.
    """

    def owner(request: Request) -> Callable[[Conversation], bool]:
        """Who the request's token was issued to, on the website where that was."""
        origin = origin_of(request.headers)
        is_owner = owner_of(_token(request), origin)

        def allowed(found: Conversation) -> bool:
            clinic = clinics.get(found.clinic)
            origins = clinic.website.origins if clinic else ()
            return is_owner(found) and may_use(origin, origins)

        return allowed

    async def begin(request: Request) -> Response:
        fields = await _fields(request)
        clinic = clinics.get(_text(fields, "clinic"))
        if clinic is None:
            raise Refused(422, "there is no such clinic here")
        origin, language = admit(clinic, request), _language(fields)
        greet_in = accepted_language(request.headers.get("accept-language", ""))
        wait = limits.opening(limits.sender(request))
        if wait:
            raise Refused(429, words.too_fast(clinic.id, language or greet_in), retry_after=wait)
        opened = await turns.open(
            clinic.id,
            "web",
            now=clock(),
            language=language,
            greet_in=greet_in,
            origin=origin,
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
        allowed = owner(request)
        said = [name for name in ("text", "button", "help_now") if name in fields]
        if len(said) != 1:
            raise Refused(422, 'give exactly one of "text", "button" and "help_now"')
        if said == ["help_now"] and fields["help_now"] is not True:
            raise Refused(422, '"help_now" can only be true')
        conversation = _conversation(request)
        message: dict[str, Any] = {
            "message_id": _identifier(fields, "id"),
            "text": _text(fields, "text") if said == ["text"] else None,
            "button": _identifier(fields, "button") if said == ["button"] else None,
            "language": _language(fields),
        }
        answer = await turns.take(
            conversation,
            now=clock(),
            **message,
            help_now=said == ["help_now"],
            allowed=allowed,
            pace=limits.message(limits.sender(request), conversation),
        )
        return JSONResponse(_answer(answer))

    async def look_back(request: Request) -> Response:
        allowed = owner(request)
        after = _seq(request.query_params.get("after", "0"), '"after"')
        messages = await turns.transcript(_conversation(request), after=after, allowed=allowed)
        return JSONResponse({"messages": [stored(message) for message in messages]})

    async def write_or_read(request: Request) -> Response:
        return await (say(request) if request.method == "POST" else look_back(request))

    async def follow(request: Request) -> Response:
        allowed = owner(request)
        last = request.headers.get("last-event-id") or request.query_params.get("after", "0")
        return await streams.open(
            _conversation(request),
            after=_seq(last, '"Last-Event-ID" or "after"'),
            allowed=allowed,
            address=limits.sender(request),
        )

    async def end(request: Request) -> Response:
        await turns.end(_conversation(request), now=clock(), allowed=owner(request))
        return Response(status_code=204)

    async def about(request: Request) -> Response:
        clinic = clinics.get(str(request.path_params["clinic"]))
        if clinic is None:
            raise Refused(404, "there is no such clinic here")
        admit(clinic, request)
        asked = request.query_params.get("language")
        if asked is not None and asked not in LANGUAGES:
            raise Refused(422, f'"language" must be one of {", ".join(LANGUAGES)}')
        return JSONResponse(_about(clinic, words, clock(), (asked,) if asked else LANGUAGES))

    return [
        Route("/api/clinics/{clinic}", about, methods=["GET"]),
        Route("/api/conversations", begin, methods=["POST"]),
        Route("/api/conversations/{conversation}", end, methods=["DELETE"]),
        Route("/api/conversations/{conversation}/events", follow, methods=["GET"]),
        Route("/api/conversations/{conversation}/messages", write_or_read, methods=["GET", "POST"]),
    ]


def stored(message: StoredMessage) -> dict[str, Any]:
    """A message of the transcript as the API gives it."""
    if message.direction == "in":
        return {
            "seq": message.seq,
            "from": "visitor",
            "id": message.client_id,
            "text": message.text,
        }
    return {
        "seq": message.seq,
        "from": "staff" if message.response == BY_STAFF else "assistant",
        "text": message.text,
        "buttons": _buttons(message.buttons),
        "response": message.response,
    }


async def refused(_: Request, error: Exception) -> Response:
    """The answer to a request that cannot be taken."""
    if not isinstance(error, Refused):
        raise error
    headers = {}
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    return JSONResponse({"error": error.reason}, status_code=error.status, headers=headers)


async def store_gone(_: Request, error: Exception) -> Response:
    """The answer while the store cannot be read; the reason is for the log, not for here."""
    return JSONResponse({"error": "we cannot look up this conversation right now"}, status_code=503)


async def _fields(request: Request) -> Mapping[str, Any]:
    body = await whole_body(request)
    try:
        fields = json.loads(body)
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
        raise Refused(404, NO_SUCH_CONVERSATION)
    return conversation


def _seq(text: str, name: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise Refused(422, f"{name} must be the number of a message")
    return int(text)


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
        "messages": [shown(message) for message in answer.messages],
        "state": dict(vars(answer.state)),
    }


def shown(message: Shown) -> dict[str, Any]:
    """A message of an answer as the API gives it."""
    return {
        "seq": message.seq,
        "text": message.text,
        "buttons": _buttons(message.buttons),
        "response": message.response,
    }


def _about(
    clinic: Clinic, words: OwnWords, now: datetime, languages: tuple[str, ...]
) -> dict[str, Any]:
    """What a page may know of a clinic; `opens` in each of `languages`, or in the only one."""
    line = line_state(clinic, now)
    phone = clinic.phone
    opens = None
    if phone and line.readable and line.opens_at and not line.can_transfer:
        said = {
            each: words.word("line_opens", each, opens=describe(line.opens_at, now, clinic, each))
            for each in languages
        }
        opens = said if len(said) > 1 else said[languages[0]]
    return {
        "id": clinic.id,
        "name": clinic.name,
        "languages": list(LANGUAGES),
        "phone": {"display": phone.display, "tel": phone.e164} if phone else None,
        "open": phone is not None and line.can_transfer,
        "opens": opens,
        "origins": list(clinic.website.origins),
        "exit": clinic.website.exit_page,
        "accent": clinic.website.accent,
    }


def _buttons(offered: tuple[OfferedButton, ...]) -> list[dict[str, str]]:
    return [{"id": choice.id, "label": choice.button.label} for choice in offered]


HANDLERS: dict[Any, Any] = {Refused: refused, StoreError: store_gone}
