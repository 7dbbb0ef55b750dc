"""The chat on a clinic's website: the script, and what the clinic pastes into its pages.

`/widget.js` is always the present version. `/widget.<hash>.js` is one version for ever,
so that a page can say which one it trusts (Subresource Integrity). A version that was
served once is kept in the data folder: a clinic's page must not lose its chat because
the server was upgraded.
"""

from __future__ import annotations

import base64
import dataclasses
import gzip
import hashlib
import html
import re
from pathlib import Path
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.clinic.profile import Clinic
from bot.gateway.refused import Refused

SCRIPT = Path(__file__).parent / "static" / "widget.js"
_DIGEST = re.compile(r"[0-9a-f]{16}")
_HOST = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+")
# Everybody may load it: it holds nothing of anybody.
_FOR_ALL = {
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Content-Type": "text/javascript; charset=utf-8",
    "Vary": "Accept-Encoding",
}
_PRESENT = "public, max-age=300"
_FOR_EVER = "public, max-age=31536000, immutable"


@dataclasses.dataclass(frozen=True)
class Bundle:
    """One version of the script.

    Attributes:
        content: the script.
        packed: the same, gzipped.
        digest: names the version: the first 16 hex digits of its SHA-256.
        integrity: for the attribute `integrity`.
    """

    content: bytes
    packed: bytes
    digest: str
    integrity: str

    @classmethod
    def of(cls, content: bytes) -> Bundle:
        """The version that `content` is."""
        sha384 = base64.b64encode(hashlib.sha384(content).digest()).decode()
        return cls(
            content=content,
            packed=gzip.compress(content, 9, mtime=0),
            digest=hashlib.sha256(content).hexdigest()[:16],
            integrity=f"sha384-{sha384}",
        )


def load_bundle(script: Path = SCRIPT) -> Bundle:
    """The present version; raises OSError if it cannot be read."""
    return Bundle.of(script.read_bytes())


class Bundles:
    """The present version and, where there is a folder for them, the former ones.

    Args:
        present: the version that `/widget.js` gives.
        folder: keeps every version that was ever served; none in tests.
    """

    def __init__(self, present: Bundle, folder: Path | None = None):
        self.present = present
        self._known = {present.digest: present}
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{present.digest}.js").write_bytes(present.content)
            for path in folder.glob("*.js"):
                former = load_bundle(path)
                self._known[former.digest] = former

    def routes(self) -> list[Route]:
        """The addresses of the script."""

        async def present(request: Request) -> Response:
            return _served(request, self.present, _PRESENT)

        async def versioned(request: Request) -> Response:
            digest = str(request.path_params["digest"])
            if not _DIGEST.fullmatch(digest) or digest not in self._known:
                raise Refused(404, "there is no such version of the script")
            return _served(request, self._known[digest], _FOR_EVER)

        return [Route("/widget.js", present), Route("/widget.{digest}.js", versioned)]


@dataclasses.dataclass(frozen=True)
class Snippets:
    """What a clinic pastes into its website.

    Attributes:
        script: the chat; always the present version.
        pinned: the same, of this one version only.
        frame: the chat in a frame, for sites with scripts that nobody vouches for.
        policy: what the site's Content-Security-Policy must allow for the script.
        frame_policy: the same for the frame.
    """

    script: str
    pinned: str
    frame: str
    policy: str
    frame_policy: str


def snippets(clinic: Clinic, host: str, bundle: Bundle) -> Snippets:
    """The snippets for `clinic`.

    Args:
        host: address of this server as visitors reach it, such as https://chat.example.

    Raises:
        ValueError: `host` is no such address.
    """
    host = host.rstrip("/")
    if not _HOST.fullmatch(host) or not urlsplit(host).hostname:
        raise ValueError(f"{host!r} is no server's address; write https://chat.clinic.example")
    data = {"data-clinic": str(clinic.id)}
    if clinic.phone:
        data["data-phone"] = str(clinic.phone.display)  # shown also when the server is gone
    pinned = {"integrity": bundle.integrity, "crossorigin": "anonymous"}
    frame = {
        "src": f"{host}/chat?clinic={clinic.id}&frame=1",
        "title": f"Chat, {clinic.name}",
        "width": "400",
        "height": "640",
        "referrerpolicy": "no-referrer",
    }
    return Snippets(
        script=_tag("script", {"src": f"{host}/widget.js", **data}, "defer"),
        pinned=_tag(
            "script", {"src": f"{host}/widget.{bundle.digest}.js", **pinned, **data}, "defer"
        ),
        frame=_tag("iframe", frame),
        policy=f"script-src {host}; connect-src {host}",
        frame_policy=f"frame-src {host}",
    )


def explained(found: Snippets) -> tuple[tuple[str, str], ...]:
    """Each snippet under the heading that says what it is for."""
    return (
        ("The chat, before </body> on every page", found.script),
        (
            "The same, of this version only (Subresource Integrity); paste it anew after an "
            "upgrade if you want the new version",
            found.pinned,
        ),
        ("If your site has a Content-Security-Policy, it must allow", found.policy),
        ("Or the chat in a frame, for sites with scripts that nobody vouches for", found.frame),
        ("For the frame, a Content-Security-Policy must allow", found.frame_policy),
    )


def frame_ancestors(clinic: Clinic) -> str:
    """Who may show the chat of `clinic` in a frame: our own pages and the clinic's sites."""
    return " ".join(("'self'", *clinic.website.origins))


def missing_origin(clinic: Clinic) -> str | None:
    """What to say to a clinic that has not named its website yet."""
    if clinic.website.origins:
        return None
    return (
        f"{clinic.id}.yml names no website yet: add its address to website.origins, "
        "or the chat works on Handrail's own pages only"
    )


def _tag(name: str, attributes: dict[str, str], *flags: str) -> str:
    said = "".join(f' {key}="{html.escape(value)}"' for key, value in attributes.items())
    return f"<{name}{said}{''.join(f' {flag}' for flag in flags)}></{name}>"


def _served(request: Request, bundle: Bundle, cache: str) -> Response:
    packs = "gzip" in request.headers.get("accept-encoding", "")
    headers = {
        **_FOR_ALL,
        "Cache-Control": cache,
        "ETag": f'"{bundle.digest}{"-gz" if packs else ""}"',
    }
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if packs:
        headers["Content-Encoding"] = "gzip"
    return Response(bundle.packed if packs else bundle.content, headers=headers)
