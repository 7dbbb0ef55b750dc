"""Which websites may use the API: each clinic's own, and our own pages.

Browsers say in the header Origin which site a script runs on; scripts cannot change it.
There are no cookies, so the answer to a foreign site is a matter of whose clinic it
speaks for, not of somebody's session.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.clinic.profile import Clinic
from bot.gateway.refused import Refused

OWN = ""  # the origin of our own pages, and of callers that are no browser
_API = "/api/"
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Last-Event-ID",
    "Access-Control-Max-Age": "3600",
}
_NOT_ALLOWED = (
    "this website may not use the chat: its address is not among the website origins "
    "of a clinic here"
)


class Origins:
    """ASGI middleware: CORS for the API, by the clinics' own lists.

    Args:
        app: what it stands in front of.
        clinics: profiles by id.
    """

    def __init__(self, app: ASGIApp, clinics: Mapping[str, Clinic]):
        self._app = app
        self._allowed = {origin for one in clinics.values() for origin in one.website.origins}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(_API):
            await self._app(scope, receive, send)
            return
        origin = origin_of(Headers(scope=scope))

        async def send_with_cors(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.add_vary_header("Origin")
                if origin in self._allowed:
                    headers["Access-Control-Allow-Origin"] = origin
                    headers["Access-Control-Expose-Headers"] = "Retry-After"
            await send(message)

        app = self._app
        if origin != OWN and origin not in self._allowed:
            app = JSONResponse({"error": _NOT_ALLOWED}, status_code=403)
        elif origin != OWN and _is_preflight(scope):
            app = Response(status_code=204, headers=_PREFLIGHT)
        await app(scope, receive, send_with_cors)


def origin_of(headers: Mapping[str, str]) -> str:
    """The website that a request comes from, as browsers write it; OWN for our own pages.

    Behind a proxy our own host may look different from outside; then browsers' word
    that page and API are of one origin counts (Sec-Fetch-Site, which scripts cannot set).
    """
    origin = headers.get("origin", "")
    if not origin or headers.get("sec-fetch-site") == "same-origin":
        return OWN
    return OWN if _host(origin) == headers.get("host", "").lower() else origin


def admit(clinic: Clinic, request: Request) -> str:
    """The request's origin; raises Refused if it may not speak for `clinic`."""
    origin = origin_of(request.headers)
    if not may_use(origin, clinic.website.origins):
        raise Refused(403, _NOT_ALLOWED)
    return origin


def may_use(origin: str, allowed: Collection[str]) -> bool:
    """Whether a page of `origin` may speak for a clinic with these website origins."""
    return origin == OWN or origin in allowed


def _is_preflight(scope: Scope) -> bool:
    return scope["method"] == "OPTIONS" and "access-control-request-method" in Headers(scope=scope)


def _host(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc.lower() or None
    except ValueError:
        return None
