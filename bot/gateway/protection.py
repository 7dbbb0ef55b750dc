"""The outermost layer: security headers on everything, and never a stack trace."""

from __future__ import annotations

import structlog
from starlette.datastructures import MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.trouble import about

NO_FRAMES = "frame-ancestors 'none'"
# Only our own files; nothing inline, nothing from elsewhere.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        NO_FRAMES,
    )
)
_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_WENT_WRONG = (
    "Something went wrong on our side. In an emergency call 911. "
    "You can call or text 988 at any hour."
)

log = structlog.get_logger("handrail.gateway")


class Protection:
    """ASGI middleware; `app` is what it protects."""

    def __init__(self, app: ASGIApp):
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def send_protected(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                framed = "content-security-policy" in headers  # says itself who may frame it
                for name, value in _HEADERS.items():
                    if not (framed and name == "X-Frame-Options"):
                        headers.setdefault(name, value)
                # Conversations are private; only the page's own files may be kept.
                if not scope["path"].startswith(("/static/", "/console/static/")):
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        try:
            await self._app(scope, receive, send_protected)
        except Exception as error:
            log.error("request failed", **about(error))
            if started:
                raise
            response = JSONResponse({"error": _WENT_WRONG}, status_code=500)
            await response(scope, receive, send_protected)
