"""Whole conversations in a browser without JavaScript."""

from __future__ import annotations

import time

import httpx
import pytest
from starlette.applications import Starlette

from bot.gateway import api, pages
from bot.gateway.forms import Forms
from bot.gateway.limits import Limits
from bot.gateway.own_words import OwnWords
from bot.safety.replies import load_replies
from bot.store import reading
from bot.store.handoffs import Handoffs
from bot.texts.messages import load_texts
from tests.dialogue.visitor import THANKSGIVING
from tests.gateway.text_browser import TextBrowser

FIRST_CHOICE = "first choice"  # again and again, until the next step is offered


@pytest.fixture
def talk(assistant, loop):
    """Run a conversation: `talk("/chat?lang=en", "For me", "=my own words")`; the last page."""
    words = OwnWords(assistant.clinics, load_replies(), load_texts())
    forms = Forms(
        assistant.turns,
        words,
        Limits(time.monotonic),
        lambda: THANKSGIVING,
        stored=api.stored,
        shown=api.shown,
    )
    app = Starlette(
        routes=pages.routes(assistant.clinics, words, forms, lambda: THANKSGIVING),
        exception_handlers=api.HANDLERS,
    )

    async def run(address: str, steps: tuple[str, ...]) -> TextBrowser:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://handrail") as web:
            browser = await TextBrowser(web).visit(address)
            for step, following in zip(steps, (*steps[1:], ""), strict=True):
                if step.startswith("="):
                    await browser.write(step[1:])
                elif step == FIRST_CHOICE:
                    while following not in browser.page.buttons:
                        await browser.press(browser.page.choices[0])
                else:
                    await browser.press(step)
                assert browser.response.status_code == 200, browser.text
            return browser

    return lambda address, *steps: loop.run_until_complete(run(address, steps))


def record(assistant, browser):
    [form] = [form for form in browser.page.forms if form.has_text]
    with reading(assistant.engine) as db:
        return Handoffs(db).find(form["conversation"])


ENGLISH = (
    *("Start the chat", "Find what fits", "For me", "No", "=MA", "18 or older", "No"),
    *("Mild: the days still work", "None", "A lot of help", FIRST_CHOICE, "That's right"),
)
SPANISH = (
    *("Empezar el chat", "Ver qué opción encaja", "Para mí", "No", "=MA", "18 años o más", "No"),
    *("Leve: los días todavía se llevan", "Ninguna", "Mucha ayuda", FIRST_CHOICE, "Así es"),
)


@pytest.mark.parametrize(
    ("lang", "questions", "callback", "said"),
    [
        (
            "en",
            ENGLISH,
            ("Yes", "=Ana", "=617-555-0142", "=after 5", "Call only", "=no", "Yes"),
            ("outpatient", "Friday"),
        ),
        (
            "es",
            SPANISH,
            ("Sí", "=Ana", "=617-555-0142", "=después de las 5", "Solo llamada", "=no", "Sí"),
            ("ambulatoria", "viernes"),
        ),
    ],
)
def test_a_whole_triage_and_callback_without_javascript(
    talk, assistant, lang, questions, callback, said
):
    browser = talk(f"/chat?clinic=greater_boston&lang={lang}", *questions, *callback)
    reference, found = record(assistant, browser)
    assert reference in browser.text
    assert (found.name, found.phone, found.kind) == ("Ana", "+16175550142", "callback")
    assert (found.level, found.language) == ("outpatient", lang)
    for word in said:
        assert word in browser.text
    assert all(address.startswith("http://handrail/chat") for address in browser.addresses)


@pytest.mark.parametrize(
    ("lang", "steps", "words"),
    [
        ("en", (*ENGLISH[:3], "Yes, now"), "988"),
        ("es", (*SPANISH[:3], "Sí, ahora"), "988"),
        ("en", ("=I want to kill myself",), "Thank you for telling me"),
        ("es", ("=me quiero matar",), "988"),
        ("es", ("Necesito ayuda ahora",), "911"),
    ],
)
def test_danger_gets_help_without_javascript(talk, lang, steps, words):
    browser = talk(f"/chat?clinic=greater_boston&lang={lang}", *steps)
    [last] = [line for line in browser.page.all("li") if line.get("id") == "end"]
    assert last["class"] == "said assistant"
    reply = browser.text[browser.text.rindex("Usted dijo" if lang == "es" else "You said") :]
    assert words in reply
