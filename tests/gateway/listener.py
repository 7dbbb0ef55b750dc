"""A reader of server-sent events, for tests: talks ASGI itself, so that it can hang up."""

from __future__ import annotations

import asyncio
import json
from typing import Any

PATIENCE = 20.0  # seconds; only a failing test waits so long


class Listener:
    """One stream on `app`; use it as `async with Listener(app, path, headers) as stream`.

    Attributes:
        status, headers: of the answer.
    """

    def __init__(self, app, path: str, headers: dict[str, str]):
        self._app = app
        path, _, query = path.partition("?")
        self._scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [
                (b"host", b"handrail"),
                *((n.lower().encode(), v.encode()) for n, v in headers.items()),
            ],
            "client": ("127.0.0.1", 1),
            "server": ("handrail", 80),
        }
        self._parts: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._hung_up = asyncio.Event()
        self._started = asyncio.Event()
        self._text = ""
        self._body = b""
        self.may_send = asyncio.Event()
        self.may_send.set()

    async def __aenter__(self) -> Listener:
        self._asked = False
        self._task = asyncio.create_task(self._app(self._scope, self._receive, self._send))
        self._task.add_done_callback(lambda _: self._parts.put_nowait(None))
        await asyncio.wait_for(self._started.wait(), PATIENCE)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._hung_up.set()
        self.may_send.set()
        await asyncio.wait_for(self._task, PATIENCE)

    async def event(self) -> dict[str, Any] | None:
        """The next event (its type, id and data); None when the stream has ended."""
        return await asyncio.wait_for(self._next(), PATIENCE)

    async def _next(self) -> dict[str, Any] | None:
        while "\n\n" not in self._text:
            part = await self._parts.get()
            if part is None:
                return None
            self._text += part.decode()
        block, self._text = self._text.split("\n\n", 1)
        fields = dict(line.split(": ", 1) for line in block.split("\n") if line[0] != ":")
        if "event" not in fields:
            return await self._next()  # a comment
        return {**fields, "data": json.loads(fields["data"])}

    async def events(self, count: int) -> list[dict[str, Any]]:
        """The next `count` events."""
        return [event for _ in range(count) if (event := await self.event()) is not None]

    async def refusal(self) -> Any:
        """The JSON of an answer that is no stream."""
        await asyncio.wait_for(asyncio.shield(self._task), PATIENCE)
        return json.loads(self._body)

    async def _receive(self):
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._hung_up.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {n.decode(): v.decode() for n, v in message["headers"]}
            self._started.set()
            return
        await self.may_send.wait()
        self._body += message.get("body", b"")
        self._parts.put_nowait(message.get("body", b""))
