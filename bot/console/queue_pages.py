"""The queue: who is first and why; its filters, its search, and its refreshing of itself.

The page asks for its rows again every ten seconds (HTMX). Polling and not a stream,
because an answer costs a few milliseconds, any proxy lets it through, and a connection
that has died is noticed at once; unchanged rows are answered with 204 and touch nothing.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from starlette.responses import HTMLResponse, Response

from bot.accents import without_accents
from bot.console import queue
from bot.console.desk import URGENCIES
from bot.console.office import Ask, Office, to
from bot.console.queue import Timer, Waiting
from bot.handoff.callback import PhoneProblem, display_phone, read_phone
from bot.handoff.records import HandoffRecord
from bot.handoff.reference import normalise
from bot.store import reading, writing
from bot.store.audit import Audit
from bot.store.casework import Casework, Listed
from bot.store.handoffs import Handoffs
from bot.store.staff import Staff

PER_PAGE = 50
TABS = {"waiting": "To call", "expected": "Expected calls", "closed": "Closed"}
FILTERS = ("clinic", "urgency", "status", "kind", "mine")
STATUS_FILTERS = ("new", "attempted", "reached", "closing")
KIND_FILTERS = ("callback", "crisis", "phone")


@dataclasses.dataclass(frozen=True)
class Row:
    """A line of the queue.

    Attributes:
        record: what is sorted by.
        due: when a call is due, UTC.
        timer: the same in words and as a colour.
        reason: why it stands here.
        status: where staff stand with it, and who has it.
        mine: the member who looks has it.
        asked: when the visitor asked, in words.
    """

    record: Waiting
    due: datetime
    timer: Timer
    urgency: str
    label: str
    reason: str
    status: str
    mine: bool
    asked: str


def show(office: Office, ask: Ask) -> Response:
    """The page, or its rows alone when it refreshes itself."""
    chosen = chosen_of(ask.request.query_params)
    rows = rows_of(office, ask, chosen)
    page, pages, shown = paged(rows, ask.request.query_params.get("page", "1"))
    people = _people(office, shown)
    context: dict[str, Any] = {
        "rows": shown,
        "people": people,
        "display_phone": display_phone,
        "clinics": office.clinics,
        "page": page,
        "page_count": pages,
        "chosen": chosen,
        "query": _query(chosen),
        "tally": _tally(rows, chosen["tab"]),
        "several_clinics": len(ask.member.clinics) > 1,
    }
    body = office.render(ask, "_rows.html", **context)
    known = hashlib.sha256(f"{ask.token} {[row.record.reference for row in shown]}".encode())
    mark = f"{known.hexdigest()[:16]}.{hashlib.sha256(body.encode()).hexdigest()[:16]}"
    before = ask.request.query_params.get("seen", "")
    if ask.live and mark == before:
        return Response(status_code=204)
    if not (ask.live and before.partition(".")[0] == mark.partition(".")[0]):
        # A refresh that shows nobody new is no new look.
        with writing(office.engine) as db:
            Audit(db).add(
                actor=ask.member.name,
                action="queue.viewed",
                at=ask.now,
                details={"records": " ".join(row.record.reference for row in shown)},
            )
    if ask.live:
        return HTMLResponse(rendered_live(office, ask, mark, context))
    return office.page(
        ask,
        "queue.html",
        mark=mark,
        tabs=TABS,
        urgencies=office.desk.urgencies,
        statuses=STATUS_FILTERS,
        kinds=KIND_FILTERS,
        **context,
    )


def rendered_live(office: Office, ask: Ask, mark: str, context: Mapping[str, object]) -> str:
    """The part of the page that is replaced when it refreshes itself."""
    return office.render(ask, "_live.html", mark=mark, refreshed=True, **context)


def search(office: Office, ask: Ask) -> Response:
    """By reference code, phone number or name; the words stay out of the address bar.

    Names are encrypted and cannot be looked up: the open records of the member's clinics
    are decrypted and compared, a few microseconds each.
    """
    wanted = " ".join(ask.form.get("q", "").split())[:120]
    clinics = ask.member.clinics
    code = normalise(wanted)
    number = read_phone(wanted) if wanted else PhoneProblem("not_a_number")
    with reading(office.engine) as db:
        work = Casework(db)
        if code is not None:
            by, found = "code", [Handoffs(db).current(code) or code]
        elif isinstance(number, str):
            by, found = "phone", work.with_phone(number, clinics)
        elif any(character.isalpha() for character in wanted):
            by = "name"
            open_codes = [listed.reference for listed in work.listed(clinics)]
            found = [
                reference
                for reference, record in Handoffs(db).records(open_codes).items()
                if _folded(wanted) in _folded(record.name or "")
            ]
        else:
            by, found = "nothing", []
        listed = work.named(found, clinics)
    with writing(office.engine) as db:
        Audit(db).add(
            actor=ask.member.name,
            action="search",
            at=ask.now,
            details={"by": by, "found": len(listed)},
        )
    if by == "code" and len(listed) == 1:
        return to(f"/console/records/{listed[0].reference}")
    rows = _sorted(office, ask, listed)
    return office.page(
        ask,
        "found.html",
        wanted=wanted,
        by=by,
        rows=rows,
        people=_people(office, rows),
        display_phone=display_phone,
        clinics=office.clinics,
        several_clinics=len(clinics) > 1,
    )


def rows_of(office: Office, ask: Ask, chosen: Mapping[str, str]) -> list[Row]:
    """The rows of a tab that pass the filters, first things first."""
    clinics = [chosen["clinic"]] if chosen["clinic"] in ask.member.clinics else ask.member.clinics
    with reading(office.engine) as db:
        listed = Casework(db).listed(clinics, closed=chosen["tab"] == "closed")
    rows = _sorted(office, ask, listed)
    if chosen["tab"] != "closed":
        expected = chosen["tab"] == "expected"
        rows = [row for row in rows if row.record.expected == expected]
    else:
        rows.sort(key=lambda row: row.record.created, reverse=True)
    kept = {
        "urgency": lambda row: row.urgency,
        "status": lambda row: row.record.status,
        "kind": lambda row: row.record.kind,
        "mine": lambda row: "yes" if row.mine else "",
    }
    for name, of in kept.items():
        if chosen[name]:
            rows = [row for row in rows if of(row) == chosen[name]]
    return rows


def waiting(listed: Listed) -> Waiting:
    """A record of the store as the queue's functions take it."""
    case = listed.case
    return Waiting(
        reference=listed.reference,
        clinic=listed.clinic,
        kind=listed.kind,
        channel=listed.channel,
        language=listed.language,
        tier=listed.tier,
        danger=listed.danger,
        level=listed.level,
        at_least=listed.at_least,
        has_contact=listed.has_contact,
        created=listed.created,
        status=case.status,
        claimed_by=case.claimed_by,
        claimed_until=case.claimed_until,
        next_try=case.next_try,
        new_message=case.new_message,
    )


def row_of(office: Office, ask: Ask, record: Waiting, names: Mapping[int, str]) -> Row:
    """One line of the queue."""
    clinic = office.clinics[record.clinic]
    due = queue.due(record, clinic, office.desk)
    urgency = queue.urgency_of(record)
    return Row(
        record=record,
        due=due,
        timer=queue.timer(record, due, ask.now, clinic, office.desk),
        urgency=urgency,
        label=office.desk.urgency(urgency).label,
        reason=queue.reason(record, office.desk),
        status=queue.status_words(record, ask.now, names),
        mine=record.holder(ask.now) == ask.member.id,
        asked=queue.clock_time(record.created, ask.now, clinic),
    )


def staff_names(office: Office) -> dict[int, str]:
    """Full names by staff number."""
    with reading(office.engine) as db:
        return {member.id: member.full_name for member in Staff(db).all()}


def paged(rows: list[Row], asked: str) -> tuple[int, int, list[Row]]:
    """(page, number of pages, the rows on it); the nearest page if there is no such one."""
    pages = max(1, -(-len(rows) // PER_PAGE))
    page = min(max(int(asked) if asked.isdecimal() and len(asked) < 6 else 1, 1), pages)
    return page, pages, rows[(page - 1) * PER_PAGE : page * PER_PAGE]


def _sorted(office: Office, ask: Ask, listed: list[Listed]) -> list[Row]:
    names = staff_names(office)
    # A clinic whose profile is gone has nobody to call from; its records are not lost.
    here = [waiting(one) for one in listed if one.clinic in office.clinics]
    rows = [row_of(office, ask, record, names) for record in here]
    return sorted(rows, key=lambda row: queue.order(row.record, row.due))


def _people(office: Office, rows: list[Row]) -> dict[str, HandoffRecord]:
    with reading(office.engine) as db:
        return Handoffs(db).records([row.record.reference for row in rows])


def chosen_of(query: Mapping[str, str]) -> dict[str, str]:
    """Tab and filters; what cannot be is left out."""
    chosen = {name: query.get(name, "") for name in FILTERS}
    if chosen["urgency"] not in URGENCIES:
        chosen["urgency"] = ""
    tab = query.get("tab", "waiting")
    return {"tab": tab if tab in TABS else "waiting", **chosen}


def _query(chosen: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in chosen.items() if value}


def _tally(rows: list[Row], tab: str) -> str:
    if tab == "closed":
        return f"{len(rows)} closed"
    late = sum(row.timer.colour == queue.RED for row in rows)
    danger = sum(row.record.high_risk for row in rows)
    words = [f"{len(rows)} waiting"]
    if danger:
        words.append(f"{danger} in danger")
    words.append(f"{late} late")
    return ", ".join(words)


def _folded(name: str) -> str:
    return without_accents(name.casefold())
