"""Notices that reached nobody: supervisors and admins see why, and have them tried again.

A notice holds a code, the urgency and the clinic, nothing else; see `bot.notify.notice`.
"""

from __future__ import annotations

from starlette.responses import Response

from bot.console.office import Ask, Office, RefusedError, to
from bot.notify.notice import AGAIN, DIGEST, LOST_TEXT, NEW, STILL_WAITING, SUPERVISOR
from bot.store import reading, writing
from bot.store.audit import Audit
from bot.store.outbox import Notification, Outbox
from bot.vocabulary import ADMIN

_SHOWN = 200  # the oldest first; more than that is one cause, and `handrail outbox` lists all
_WHAT = {
    NEW: "New request",
    AGAIN: "Request that nobody has taken",
    SUPERVISOR: "Request that nobody has taken, to supervisors",
    STILL_WAITING: "Request that still waits",
    DIGEST: "Requests of the night",
    LOST_TEXT: "A text could not be delivered",
}
_GONE = RefusedError(
    404, "Nothing to try again", "This notice has been delivered meanwhile, or is not yours to see."
)


def show(office: Office, ask: Ask) -> Response:
    """Notices that were given up, and those that wait after a failure. Looking is audited."""
    found = _theirs(office, ask)
    with writing(office.engine) as db:
        Audit(db).add(
            actor=ask.member.name,
            action="notices.viewed",
            at=ask.now,
            details={"undelivered": len(found)},
        )
    return office.page(
        ask,
        "notices.html",
        dead=[each for each in found if each.dead][:_SHOWN],
        waiting=[each for each in found if not each.dead][:_SHOWN],
        what=_WHAT,
        clinics=office.clinics,
    )


def retry(office: Office, ask: Ask) -> Response:
    """Have one notice tried again at once."""
    identity = ask.form.get("notice", "")
    known = {each.id: each for each in _theirs(office, ask)}
    if identity not in known:
        raise _GONE
    with writing(office.engine) as db:
        if not Outbox(db).retry(identity):
            raise _GONE
        Audit(db).add(
            actor=ask.member.name,
            action="notice.retried",
            subject=identity,
            at=ask.now,
            details={"kind": known[identity].kind, "clinic": known[identity].clinic},
        )
    return to("/console/notices")


def _theirs(office: Office, ask: Ask) -> list[Notification]:
    """What failed: for supervisors of their clinics, for admins of all."""
    with reading(office.engine) as db:
        found = Outbox(db).undelivered()
    return [
        each
        for each in found
        if (each.dead or each.last_error)
        and (ask.member.role == ADMIN or each.clinic in ask.member.clinics)
    ]
