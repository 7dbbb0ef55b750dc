"""The console's addresses, to be mounted by the gateway."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from datetime import datetime

import sqlalchemy as sa
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from bot.clinic.profile import Clinic
from bot.console import (
    audit_pages,
    card,
    export_pages,
    figure_pages,
    notice_pages,
    queue_pages,
    user_pages,
    website_page,
)
from bot.console.desk import load_desk
from bot.console.login import log_in, log_out
from bot.console.office import (
    COOKIE,
    LOGIN_COOKIE,
    NO_STORE,
    NOT_HERE,
    STATIC,
    Ask,
    Office,
    RefusedError,
    csrf_of,
    form_of,
    login_page,
    own_path,
    problem,
    same,
    send_again,
    set_cookie,
    to,
)
from bot.console.passwords import Passwords
from bot.store import StoreError
from bot.vocabulary import ADMIN, AUDITOR, ROLES, SUPERVISOR

_HOME = {AUDITOR: "/console/audit", ADMIN: "/console/users"}
_NO_LOGIN = (
    "That did not work. Check name and password, then try again. After several failures you "
    "have to wait, up to 15 minutes."
)
_STILL_HERE = "What you typed is still here"
_SESSION_ENDED = "Your session had ended before it could be saved."


def routes(
    *,
    engine: sa.engine.Engine,
    clinics: Mapping[str, Clinic],
    clock: Callable[[], datetime],
    passwords: Passwords | None = None,
    website: website_page.Website | None = None,
) -> list[Route | Mount]:
    """The routes under /console.

    Args:
        engine: the store.
        clinics: profiles by id.
        clock: gives the present time, zone-aware.
        passwords: how passwords are hashed; the safe way unless given.
        website: what clinics paste into theirs; without it there is no page about it.
    """
    office = Office(engine, clinics, clock, load_desk(), passwords or Passwords())

    def page(path: str, handler: Callable[[Office, Ask], Response], *roles: str) -> Route:
        bound = functools.partial(handler, office)
        endpoint = office.guarded(bound, roles) if roles else office.guarded(bound)
        return Route(path, endpoint, methods=["GET"])

    def form(path: str, handler: Callable[[Office, Ask], Response], *roles: str) -> Route:
        bound = functools.partial(handler, office)
        endpoint = office.guarded(bound, roles) if roles else office.guarded(bound)

        async def answer(request: Request) -> Response:
            # The address of a form stays in the browser's bar when it was refused; whoever
            # loads it again wants the page on which the form stood.
            page = str(request.url.path).rpartition("/")[0]
            return await endpoint(request) if request.method == "POST" else to(page)

        return Route(path, answer, methods=["POST", "GET"])

    async def login(request: Request) -> Response:
        if request.method == "GET":
            return login_page(request, back="/console")
        try:
            fields = await form_of(request)
        except RefusedError as refused:
            return problem(refused)
        return await run_in_threadpool(_log_in, office, request, fields)

    async def nothing_here(_: Request) -> Response:
        return problem(NOT_HERE)

    record = "/console/records/{reference}"
    return [
        Mount("/console/static", StaticFiles(directory=STATIC)),
        Route("/console/login", login, methods=["GET", "POST"]),
        form("/console/logout", _logout, *ROLES),
        page("/console", _home, *ROLES),
        form("/console/search", queue_pages.search),
        page(record, card.show),
        *(form(f"{record}/{name}", handler) for name, handler in card.FORMS.items()),
        form(f"{record}/print", export_pages.printable),
        form(f"{record}/fhir", export_pages.fhir_bundle),
        form("/console/export.csv", export_pages.queue_csv),
        page("/console/audit", audit_pages.show, AUDITOR, SUPERVISOR),
        page("/console/figures", figure_pages.show),
        page("/console/notices", notice_pages.show, SUPERVISOR, ADMIN),
        form("/console/notices", notice_pages.retry, SUPERVISOR, ADMIN),
        page("/console/users", user_pages.show, ADMIN),
        form("/console/users", user_pages.change, ADMIN),
        *(
            [page("/console/embed", functools.partial(website_page.show, website), ADMIN)]
            if website
            else []
        ),
        Route("/console/{elsewhere:path}", nothing_here),
    ]


def _home(office: Office, ask: Ask) -> Response:
    elsewhere = _HOME.get(ask.member.role)
    return to(elsewhere) if elsewhere else queue_pages.show(office, ask)


def _logout(office: Office, ask: Ask) -> Response:
    log_out(office.engine, ask.token, ask.member.name, ask.now)
    response = to("/console/login")
    response.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="strict")
    return response


def _log_in(office: Office, request: Request, fields: dict[str, str]) -> Response:
    cookie = request.cookies.get(LOGIN_COOKIE, "")
    back = own_path(fields.pop("back", ""))
    kept = {name[5:]: value for name, value in fields.items() if name.startswith("kept_")}
    if not cookie or not same(fields.get("token", ""), cookie):
        # Cookies were blocked or have been cleared; the form that goes out now has a new one.
        return login_page(request, back=back, kept=kept, failed=_NO_LOGIN, status=400)
    try:
        token = log_in(
            office.engine,
            office.passwords,
            name=fields.get("name", ""),
            password=fields.get("password", ""),
            address=request.client.host if request.client else "unknown",
            now=office.clock(),
        )
    except StoreError:
        why = f"{NO_STORE.title}. Try again in a minute."
        return login_page(request, back=back, kept=kept, failed=why, status=503)
    if token is None:
        return login_page(request, back=back, kept=kept, failed=_NO_LOGIN, status=401)
    if kept:
        html = send_again(back, kept, csrf_of(token), _STILL_HERE, _SESSION_ENDED)
        response: Response = HTMLResponse(html)
    else:
        response = to(back)
    set_cookie(response, COOKIE, token)
    return response
