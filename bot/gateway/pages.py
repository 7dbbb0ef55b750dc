"""The pages: the demo clinic at / and the chat alone at /chat."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from bot.clinic.profile import Clinic
from bot.gateway.incoming import BRAIN_CHARACTERS, accepted_language
from bot.gateway.own_words import OwnWords
from bot.gateway.turn import Refused
from bot.vocabulary import LANGUAGES

_HERE = Path(__file__).parent
_STATIC = _HERE / "static"
# What the script says by itself; it needs them when the server is gone.
_SCRIPT_WORDS = (
    "help_now",
    "page_sending",
    "page_not_sent",
    "page_retry",
    "page_typing",
    "page_you",
    "page_assistant",
)


def routes(clinics: Mapping[str, Clinic], words: OwnWords) -> list[Route | Mount]:
    """The pages and their files."""
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )

    def page(request: Request, template: str) -> Response:
        asked = request.query_params.get("clinic")
        if asked is not None and asked not in clinics:
            raise Refused(404, "there is no such clinic here")
        clinic = clinics[asked] if asked else next(iter(clinics.values()))
        asked_language = request.query_params.get("lang")
        chosen = asked_language if asked_language in LANGUAGES else None
        language = chosen or accepted_language(request.headers.get("accept-language", ""))
        other = next(one for one in LANGUAGES if one != language)
        word = functools.partial(words.word, language=language)
        context: dict[str, Any] = {
            "clinic": clinic,
            "clinics": [one for one in clinics.values() if one is not clinic],
            "language": language,
            "chosen_language": chosen or "",
            "other_language": other,
            "path": request.url.path,
            "version": _version(),
            "most_characters": BRAIN_CHARACTERS,
            "word": word,
            "script_words": json.dumps(
                {
                    **{name: word(name) for name in _SCRIPT_WORDS},
                    "page_characters_left": word("page_characters_left", count="#"),
                },
                ensure_ascii=False,
            ),
        }
        return HTMLResponse(templates.get_template(template).render(context))

    async def home(request: Request) -> Response:
        return page(request, "home.html")

    async def chat(request: Request) -> Response:
        return page(request, "chat.html")

    async def widget(_: Request) -> Response:
        return FileResponse(_STATIC / "widget.js")

    return [
        Route("/", home),
        Route("/chat", chat),
        Route("/widget.js", widget),
        Mount("/static", StaticFiles(directory=_STATIC)),
    ]


@functools.lru_cache(maxsize=1)
def _version() -> str:
    """Changes when a file of the page changes, so that browsers fetch the new one."""
    digest = hashlib.sha256()
    for path in sorted(_STATIC.iterdir()):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
