"""The pages: the demo clinic at /, and the chat alone at /chat, with JavaScript or without."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import jinja2
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from bot.clinic.hours import describe, line_state
from bot.clinic.profile import Clinic
from bot.gateway.embed import frame_ancestors
from bot.gateway.forms import Forms, Talk, form_fields, page_language
from bot.gateway.incoming import BRAIN_CHARACTERS
from bot.gateway.own_words import OwnWords
from bot.gateway.protection import CONTENT_SECURITY_POLICY, NO_FRAMES
from bot.vocabulary import LANGUAGES

_HERE = Path(__file__).parent
_STATIC = _HERE / "static"


def routes(
    clinics: Mapping[str, Clinic],
    words: OwnWords,
    forms: Forms,
    clock: Callable[[], datetime],
) -> list[Route | Mount]:
    """The pages and their files.

    Args:
        clinics: profiles by id.
        words: what the pages say.
        forms: takes what the page without JavaScript sends.
        clock: gives the present time, zone-aware.
    """
    templates = _templates()

    def context(clinic: Clinic, language: str) -> dict[str, Any]:
        return {
            "clinic": clinic,
            "clinics": list(clinics.values()),
            "language": language,
            "other_language": next(one for one in LANGUAGES if one != language),
            "version": _version(),
            "word": functools.partial(words.word, language=language),
        }

    def asked_clinic(asked: str | None) -> Clinic:
        if asked is None:
            return next(iter(clinics.values()))
        if asked not in clinics:
            raise HTTPException(404, "there is no such clinic here")
        return clinics[asked]

    async def home(request: Request) -> Response:
        clinic = asked_clinic(request.query_params.get("clinic"))
        language = page_language(request, request.query_params.get("lang"))
        now = clock()
        line = line_state(clinic, now)
        opens = describe(line.opens_at, now, clinic, language) if line.opens_at else None
        return HTMLResponse(
            templates.get_template("home.html").render(
                context(clinic, language),
                open=line.can_transfer,
                opens=words.word("line_opens", language, opens=opens) if opens else None,
            )
        )

    def chat_page(clinic: Clinic, talk: Talk, *, by_form: bool, frame: bool) -> Response:
        greeting = words.greeting(clinic.id, "web", talk.language)
        page = templates.get_template("chat.html").render(
            context(clinic, talk.language),
            talk=talk,
            by_form=by_form,
            frame=frame,
            greeting="\n\n".join(message.text for message in greeting),
            most_characters=BRAIN_CHARACTERS,
        )
        # Forms say where they come from; with no-referrer browsers would keep it back.
        headers = {"Referrer-Policy": "same-origin"}
        if frame:
            headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY.replace(
                NO_FRAMES, f"frame-ancestors {frame_ancestors(clinic)}"
            )
        if talk.wait is not None:
            headers["Retry-After"] = str(talk.wait)
        return HTMLResponse(page, status_code=talk.status, headers=headers)

    async def chat(request: Request) -> Response:
        if request.method == "POST":
            fields = await form_fields(request)
            clinic = asked_clinic(fields.get("clinic"))
            talk = await forms.take(request, fields, clinic)
            return chat_page(clinic, talk, by_form=True, frame=fields.get("frame") == "1")
        asked = request.query_params
        clinic = asked_clinic(asked.get("clinic"))
        lang = asked.get("lang")
        talk = Talk(page_language(request, lang), chosen=lang if lang in LANGUAGES else None)
        return chat_page(clinic, talk, by_form=False, frame=asked.get("frame") == "1")

    return [
        Route("/", home),
        Route("/chat", chat, methods=["GET", "POST"]),
        Mount("/static", StaticFiles(directory=_STATIC)),
    ]


def missing(request: Request, clinics: Mapping[str, Clinic], words: OwnWords) -> Response:
    """The page for an address that leads nowhere: the chats that there are, and whom to call."""
    language = page_language(request, request.query_params.get("lang"))
    page = _templates().get_template("missing.html")
    html = page.render(
        clinics=list(clinics.values()),
        language=language,
        version=_version(),
        word=functools.partial(words.word, language=language),
    )
    return HTMLResponse(html, status_code=404)


@functools.lru_cache(maxsize=1)
def _templates() -> jinja2.Environment:
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.globals["blocks"] = blocks
    return templates


def blocks(text: str) -> Iterator[tuple[str, list[str]]]:
    """`text` in paragraphs ("text") and lists ("list"), each with its lines."""
    lines: list[str] = []
    kind = "text"
    for line in [*text.split("\n"), ""]:
        now = "list" if line.startswith("- ") else "text"
        if lines and (now != kind or not line.strip()):
            yield kind, lines
            lines = []
        kind = now
        if line.strip():
            lines.append(line.removeprefix("- ") if now == "list" else line)


@functools.lru_cache(maxsize=1)
def _version() -> str:
    """Changes when a file of the page changes, so that browsers fetch the new one."""
    digest = hashlib.sha256()
    for path in sorted(_STATIC.iterdir()):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
