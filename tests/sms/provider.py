"""Twilio as far as texts go: it signs what it sends us, and takes what we send."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, parse_qsl

from twilio.request_validator import RequestValidator

PUBLIC = "https://chat.clinic.example"
OLD, NEW = "old-token", "new-token"


def signed(body: str, token: str = NEW, url: str = f"{PUBLIC}/sms/twilio") -> str:
    """As Twilio's own library signs: an oracle that was not written here."""
    return RequestValidator(token).compute_signature(
        url, dict(parse_qsl(body, keep_blank_values=True))
    )


class Rest:
    """Twilio's REST API, as far as texts go.

    Attributes:
        came: the fields of every text that was handed in.
        says: (status, body) of the next answers; None: taken.
        on_text: called with the fields of a text that was taken, before it is answered.
    """

    def __init__(self) -> None:
        self.came: list[dict[str, str]] = []
        self.says: tuple[int, object] | None = None
        self.on_text: Callable[[dict[str, str]], object] = lambda _: None
        rest = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"  # connections are kept, as Twilio's are

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                rest.authorization = self.headers["authorization"]
                rest.path = self.path
                status, answer = rest.says or (201, {})
                if rest.says is None:
                    text = {k: v[0] for k, v in parse_qs(body).items()}
                    rest.came.append(text)
                    answer = {"sid": f"SM{len(rest.came)}", "status": "queued"}
                    rest.on_text(text)
                content = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}
        )
        self._thread.start()

    @property
    def texts(self) -> list[str]:
        return [each["Body"] for each in self.came]

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
