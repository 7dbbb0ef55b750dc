"""What every page of the console shares: who asks, whether they may, and how pages are made."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import hmac
import secrets
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jinja2
import sqlalchemy as sa
import structlog
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bot.clinic.profile import Clinic
from bot.console.desk import Desk
from bot.console.login import session_of
from bot.console.passwords import Passwords
from bot.store import StoreError, writing
from bot.store.staff import Member, Session, Sessions
from bot.vocabulary import ADMIN, AUDITOR, COORDINATOR, SUPERVISOR

HERE = Path(__file__).parent
STATIC = HERE / "static"
COOKIE = "__Host-handrail-staff"
LOGIN_COOKIE = "__Host-handrail-login"
CARE = frozenset({COORDINATOR, SUPERVISOR})  # who may see hand-off records
_BODY_BYTES = 64 * 1024
_FIELDS = 40

log = structlog.get_logger("handrail.console")


class RefusedError(Exception):
    """The request cannot be done; the text is for the person who asked."""

    def __init__(self, status: int, title: str, text: str):
        super().__init__(text)
        self.status = status
        self.title = title
        self.text = text


NOT_HERE = RefusedError(404, "Nothing here", "There is no such page, or it is not yours to see.")
NO_STORE = RefusedError(
    503,
    "The database does not answer",
    "Nothing was changed. Try again in a minute, and tell your operator if it stays so.",
)


@dataclasses.dataclass(frozen=True)
class Ask:
    """One request of somebody who is logged in.

    Attributes:
        request: the request; its body is in `form`.
        form: fields of the posted form; empty for a page.
        member: who asks.
        token: of their session.
        now: the time of this request.
        live: a page refreshes itself; nobody did anything.
    """

    request: Request
    form: Mapping[str, str]
    member: Member
    token: str
    now: datetime
    live: bool

    @property
    def csrf(self) -> str:
        """What a form of this session must carry."""
        return csrf_of(self.token)


Handler = Callable[[Ask], Response]


@dataclasses.dataclass(frozen=True)
class Office:
    """The console's tools.

    Attributes:
        engine: the store.
        clinics: profiles by id.
        clock: gives the present time, zone-aware.
        desk: what coordinators choose from.
        passwords: hashes and compares.
    """

    engine: sa.engine.Engine
    clinics: Mapping[str, Clinic]
    clock: Callable[[], datetime]
    desk: Desk
    passwords: Passwords

    def page(
        self, ask: Ask, template: str, *, status: int = 200, headers: Any = None, **context: Any
    ) -> Response:
        """A page for somebody who is logged in."""
        html = self.render(ask, template, **context)
        return HTMLResponse(html, status_code=status, headers=headers)

    def render(self, ask: Ask, template: str, **context: Any) -> str:
        """The HTML of a template, with what the layout needs."""
        return rendered(
            template,
            me=ask.member,
            csrf=ask.csrf,
            path=ask.request.url.path,
            pages=_PAGES_OF[ask.member.role],
            **context,
        )

    def guarded(self, handler: Handler, roles: Collection[str] = CARE) -> Any:
        """An endpoint that lets `handler` answer whoever may ask.

        A POST needs our own Origin and the session's token in its form. Where the session
        has ended, the login page keeps what was typed and gives it back; where the store
        fails, the page that says so does.

        Args:
            handler: runs beside the event loop, since it uses the database.
            roles: who may.
        """

        async def endpoint(request: Request) -> Response:
            form: dict[str, str] = {}
            try:
                form = await form_of(request)
                return await run_in_threadpool(answer, request, dict(form))
            except RefusedError as refused:
                return problem(refused)
            except StoreError as error:
                log.error("the console cannot use the store", reason=str(error))
                return _nothing_changed(request, form)

        def answer(request: Request, form: dict[str, str]) -> Response:
            now = self.clock()
            token = request.cookies.get(COOKIE, "")
            session = session_of(self.engine, token, now) if token else None
            if session is None:
                return _to_login(request, form)
            if request.method == "POST" and not same(form.pop("csrf", ""), csrf_of(token)):
                raise _FOREIGN_FORM
            if session.member.role not in roles:
                raise RefusedError(403, "Not yours to see", "Your role does not include this page.")
            live = request.method == "GET" and "live" in request.query_params
            if not live:
                _touch(self.engine, token, session, now)
            return handler(Ask(request, form, session.member, token, now, live))

        return endpoint


def rendered(template: str, **context: Any) -> str:
    """The HTML of a template."""
    return _templates().get_template(template).render(version=static_version(), **context)


def problem(refused: RefusedError) -> Response:
    """A plain page that says what is wrong."""
    html = rendered("problem.html", title=refused.title, text=refused.text)
    return HTMLResponse(html, status_code=refused.status)


def send_again(path: str, fields: Mapping[str, str], csrf: str, title: str, why: str) -> str:
    """The HTML of a page that gives back what was typed, to be sent once more.

    Args:
        path: where the form goes.
        fields: what was typed; a password is not given back.
        csrf: what the form must carry.
        title: of the page, the reason in short.
        why: a sentence on why it was not saved.
    """
    typed = {name: value for name, value in fields.items() if name not in ("csrf", "password")}
    return rendered("again.html", back=path, kept=typed, csrf=csrf, title=title, why=why)


def login_page(
    request: Request,
    *,
    back: str,
    kept: Mapping[str, str] | None = None,
    failed: str = "",
    status: int = 200,
) -> Response:
    """The login form.

    Args:
        back: path to go to afterwards.
        kept: fields of a form that was sent when the session had ended.
        failed: why a login has just failed.
    """
    token = request.cookies.get(LOGIN_COOKIE) or secrets.token_urlsafe(32)
    html = rendered("login.html", token=token, back=back, kept=kept or {}, failed=failed)
    response = HTMLResponse(html, status_code=status)
    set_cookie(response, LOGIN_COOKIE, token)
    return response


def set_cookie(response: Response, name: str, value: str) -> None:
    """A cookie for this origin alone, which no script and no other site can use."""
    response.set_cookie(name, value, path="/", secure=True, httponly=True, samesite="strict")


def to(path: str) -> Response:
    """Go to `path` with GET."""
    return RedirectResponse(path, status_code=303)


def own_path(path: str) -> str:
    """`path` if it is one of the console's, else the console's first page."""
    plain = path.startswith("/console") and not set(path) & set("\\\r\n") and "//" not in path
    return path if plain else "/console"


def csrf_of(token: str) -> str:
    """What the forms of the session with this token must carry."""
    return hashlib.sha256(b"csrf " + token.encode()).hexdigest()


def same(one: str, other: str) -> bool:
    """Compare secrets in constant time."""
    return hmac.compare_digest(one.encode(), other.encode())


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a form that one of our own pages has sent; {} for GET.

    Raises:
        RefusedError: it comes from elsewhere, or is too large.
    """
    if request.method != "POST":
        return {}
    origin = urlsplit(request.headers.get("origin", ""))
    if origin.scheme not in ("http", "https") or origin.netloc != request.headers.get("host"):
        raise _FOREIGN_FORM
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _BODY_BYTES:
            raise RefusedError(413, "Too long", f"A form may have at most {_BODY_BYTES} bytes.")
    try:
        return dict(
            parse_qsl(
                body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_FIELDS
            )
        )
    except ValueError:
        raise RefusedError(400, "Not a form", "This form has too many fields.") from None


@functools.lru_cache(maxsize=1)
def static_version() -> str:
    """Changes when a file changes, so that browsers fetch the new one."""
    digest = hashlib.sha256()
    for path in sorted(STATIC.iterdir()):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


@functools.lru_cache(maxsize=1)
def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _to_login(request: Request, form: Mapping[str, str]) -> Response:
    path = request.url.path
    if "live" in request.query_params:
        # The page that refreshes itself goes away, and with it the names on the screen.
        return Response(status_code=204, headers={"HX-Redirect": "/console/login"})
    if request.method == "GET":
        return login_page(request, back=path, status=401)
    kept = {name: value for name, value in form.items() if name != "csrf"}
    return login_page(request, back=path, kept=kept, status=401)


def _nothing_changed(request: Request, form: Mapping[str, str]) -> Response:
    """The store has failed: say so, and give back what was typed."""
    if not form:
        return problem(NO_STORE)
    # The form's own token goes back, whatever it was: nobody could look whose session it is.
    html = send_again(request.url.path, form, form.get("csrf", ""), NO_STORE.title, NO_STORE.text)
    return HTMLResponse(html, status_code=NO_STORE.status)


def _touch(engine: sa.engine.Engine, token: str, session: Session, now: datetime) -> None:
    if (now - session.seen).total_seconds() >= _TOUCH_SECONDS:
        with writing(engine) as db:
            Sessions(db).touch(token, now)


_TOUCH_SECONDS = 15  # exact enough for an idle time of minutes; spares a write on every click
_FOREIGN_FORM = RefusedError(
    403,
    "Not sent from this page",
    "The form did not come from this console. Go back, load the page again and repeat it.",
)
_QUEUE = [("/console", "Queue"), ("/console/figures", "Figures")]
_NOTICES = ("/console/notices", "Notices")
_PAGES_OF = {
    COORDINATOR: _QUEUE,
    SUPERVISOR: [*_QUEUE, _NOTICES, ("/console/audit", "Audit")],
    AUDITOR: [("/console/audit", "Audit")],
    ADMIN: [("/console/users", "Users"), _NOTICES, ("/console/embed", "Website")],
}
