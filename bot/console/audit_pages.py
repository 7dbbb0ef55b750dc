"""The audit log: who did what, filtered, and whether its chain is unbroken."""

from __future__ import annotations

from starlette.responses import Response

from bot.console.office import Ask, Office
from bot.store import reading, writing
from bot.store.audit import Audit, verify

PER_PAGE = 100


def show(office: Office, ask: Ask) -> Response:
    """The newest entries first. Looking is itself audited."""
    query = ask.request.query_params
    filters = {name: query.get(name, "").strip()[:120] for name in ("actor", "action", "subject")}
    before = query.get("before", "")
    with reading(office.engine) as db:
        entries = Audit(db).latest(
            PER_PAGE + 1,
            before=int(before) if before.isdecimal() and len(before) < 12 else None,
            **{name: value or None for name, value in filters.items()},
        )
        broken = verify(db)
        count = Audit(db).count()
    with writing(office.engine) as db:
        Audit(db).add(
            actor=ask.member.name,
            action="audit.viewed",
            at=ask.now,
            details={name: value for name, value in filters.items() if value},
        )
    return office.page(
        ask,
        "audit.html",
        entries=entries[:PER_PAGE],
        older=entries[PER_PAGE - 1].seq if len(entries) > PER_PAGE else None,
        filters=filters,
        query={name: value for name, value in filters.items() if value},
        broken=broken,
        count=count,
    )
