"""One record: what is known, what was said, what staff did, and the forms to go on."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

import sqlalchemy as sa
from starlette.responses import Response

from bot.care.questionnaire import load_questionnaire
from bot.clinic.hours import UnreadableHoursError, clinic_zone
from bot.clinic.profile import Clinic
from bot.console import moves, queue, texting
from bot.console.evidence import Piece, causes, pieces
from bot.console.moves import NotAllowedError
from bot.console.office import CARE, NOT_HERE, Ask, Office, to
from bot.console.queue import Waiting
from bot.console.queue_pages import Row, row_of, staff_names, waiting
from bot.handoff.callback import display_phone
from bot.handoff.records import HandoffRecord
from bot.handoff.reference import normalise
from bot.handoff.summary import SUBSTANCE_CATEGORIES, SUBSTANCE_ITEMS, Summary, summary
from bot.store import Messages, casework, reading, writing
from bot.store.audit import Audit
from bot.store.audit import Entry as AuditEntry
from bot.store.casework import Case, Casework, Entry
from bot.store.handoffs import Handoffs
from bot.store.records import StoredMessage
from bot.store.staff import Member, Staff
from bot.vocabulary import CONSULTATION, TIER_NONE, UNKNOWN

_LONGEST_NOTE = 4000


@dataclasses.dataclass(frozen=True)
class Answered:
    """An answer of the questionnaire; `part_2`: it says something about substance use."""

    item: str
    topic: str
    value: str
    part_2: bool


@dataclasses.dataclass(frozen=True)
class Said:
    """A message of the transcript, its evidence marked."""

    message: StoredMessage
    pieces: list[Piece]
    causes: list[tuple[str, str]]
    at: str


@dataclasses.dataclass(frozen=True)
class Card:
    """All of one record."""

    reference: str
    record: HandoffRecord
    clinic: Clinic
    row: Row
    case: Case
    answers: list[Answered]
    transcript: list[Said]
    entries: list[Entry]
    trail: list[AuditEntry]
    colleagues: list[Member]
    line: texting.Line | None
    names: Mapping[int, str]

    @property
    def waiting(self) -> Waiting:
        """The record as the queue sees it."""
        return self.row.record

    @property
    def part_2(self) -> bool:
        """Whether anything here says something about substance use."""
        return self.danger_part_2 or any(answer.part_2 for answer in self.answers)

    @property
    def danger_part_2(self) -> bool:
        """Whether what makes it urgent is about substance use."""
        return self.record.safety_category in SUBSTANCE_CATEGORIES

    @staticmethod
    def rests_on_substances(items: Iterable[str]) -> bool:
        """Whether a reason rests on answers about substance use."""
        return not SUBSTANCE_ITEMS.isdisjoint(items)

    @property
    def summary(self) -> Summary:
        """The record in a dozen lines."""
        return summary(self.record)

    @property
    def evidence(self) -> list[Said]:
        """The messages that set or raised the tier."""
        return [said for said in self.transcript if said.causes]

    def held_by_other(self, member: Member, now: datetime) -> str | None:
        """Name of the colleague who has the record; None if it is free or one's own."""
        holder = self.waiting.holder(now)
        return None if holder in (None, member.id) else self.names.get(holder or 0, "Somebody")

    @property
    def two_needed(self) -> bool:
        """Whether a second person must agree if it is closed now."""
        move = moves.to_close(self.case.status, high_risk=self.waiting.high_risk)
        return move == moves.ASK_SECOND


def show(office: Office, ask: Ask) -> Response:
    """The page. Looking at a record that one holds keeps the lease.

    The code of a record that was merged into another leads to that one.
    """
    code = _code(ask)
    reference = _current(office, code)
    card = load_card(office, ask, reference)
    if reference != code:
        return to(_path(reference))
    with writing(office.engine) as db:
        work = Casework(db)
        if card.row.mine:
            work.renew(reference, ask.member.id, ask.now)
            work.seen(reference)
        Audit(db).add(actor=ask.member.name, action="record.viewed", subject=reference, at=ask.now)
    return _page(office, ask, card)


def load_card(office: Office, ask: Ask, reference: str) -> Card:
    """Everything about a record of the member's clinics; raises `RefusedError` (404)."""
    with reading(office.engine) as db:
        found = Casework(db).named([reference], ask.member.clinics)
        if not found or found[0].clinic not in office.clinics:
            raise NOT_HERE
        record = Handoffs(db).records([reference])[reference]
        talks = Handoffs(db).conversations(reference)
        talked = [message for each in talks for message in Messages(db).after(each)]
        clinic = office.clinics[record.clinic]
        line = texting.line_to(db, record, clinic, talks, ask.now)
        entries = Casework(db).entries(reference)
        trail = Audit(db).of(reference)
        staff = Staff(db).all()
    names = staff_names(office)
    return Card(
        reference=reference,
        record=record,
        clinic=clinic,
        row=row_of(office, ask, waiting(found[0]), names),
        case=found[0].case,
        answers=_answers(record),
        transcript=[_said(message, clinic, ask.now) for message in talked],
        entries=entries,
        trail=trail,
        line=line,
        colleagues=[
            member
            for member in staff
            if member.role in CARE
            and member.disabled is None
            and record.clinic in member.clinics
            and member.id != ask.member.id
        ],
        names=names,
    )


# --- the forms ------------------------------------------------------------------------------


def claim(office: Office, ask: Ask) -> Response:
    """Take the record for a quarter of an hour."""
    reference = _code(ask)
    card = load_card(office, ask, reference)
    with writing(office.engine) as db:
        won = Casework(db).claim(reference, ask.member.id, ask.now)
        if won:
            Casework(db).seen(reference)
        action = "record.claimed" if won else "record.claim_lost"
        Audit(db).add(actor=ask.member.name, action=action, subject=reference, at=ask.now)
    if won:
        return to(_path(reference))
    problem = _CLOSED if card.case.status == moves.CLOSED else _TAKEN
    return _page(office, ask, load_card(office, ask, card.reference), problem=problem, status=409)


def release(office: Office, ask: Ask) -> Response:
    """Give the record free for others."""
    reference = _code(ask)
    load_card(office, ask, reference)
    with writing(office.engine) as db:
        if Casework(db).release(reference, ask.member.id):
            Audit(db).add(
                actor=ask.member.name, action="record.released", subject=reference, at=ask.now
            )
    return to("/console")


def attempt(office: Office, ask: Ask) -> Response:
    """Log a call and its outcome; optionally plan the next one."""

    def work(db: sa.engine.Connection, card: Card) -> tuple[bool, dict[str, Any]]:
        outcome = _choice(office.desk.outcome, ask, "outcome", "Say how the call went.")
        plan = _plan(ask, card.clinic)
        move = moves.REACH if outcome.reached else moves.MISS
        if plan is None and not outcome.reached:
            # Nobody is forgotten after a call that failed: the next falls due as the first did.
            allowed = timedelta(minutes=queue.minutes_of(card.waiting, office.desk))
            plan = queue.add_opening_time(ask.now, allowed, card.clinic)
        values: dict[str, Any] = {
            "status": moves.after(card.case.status, move),
            "first_attempt": card.case.first_attempt or ask.now,
            "next_try": plan,
            "new_message": None,
        }
        changed = _change(db, ask, card, values)
        if changed:
            _write(db, ask, card, casework.ATTEMPT, outcome.id)
        return changed, {"outcome": outcome.id, "planned": plan is not None}

    return _under_claim(office, ask, "record.attempted", work)


def text(office: Office, ask: Ask) -> Response:
    """Answer by text; from then on the assistant is silent for an hour."""

    def work(db: sa.engine.Connection, card: Card) -> tuple[bool, dict[str, Any]]:
        line, words = _line(db, card, ask), ask.form.get("words", "").strip()
        if line is None or line.no:
            raise _Unfit(
                line.no if line and line.no else "They neither texted nor agreed to texts."
            )
        if line.answer and not words:
            raise _Unfit("Write what to say.")
        if len(words) > texting.LONGEST:
            raise _Unfit(f"At most {texting.LONGEST} characters, please.")
        changed = _change(db, ask, card, {"new_message": None})
        once = ask.form.get("once", "")
        if changed and texting.send(db, line, card.record, card.reference, words, once, ask.now):
            _write(db, ask, card, casework.TEXTED)
        return changed, {"answer": line.answer, "leaves": line.leaves.isoformat()}

    return _under_claim(office, ask, "record.texted", work)


def assistant(office: Office, ask: Ask) -> Response:
    """Let the assistant answer texts again."""

    def work(db: sa.engine.Connection, card: Card) -> tuple[bool, dict[str, Any]]:
        line = _line(db, card, ask)
        if line is not None:
            texting.release(db, line, ask.now)
        return True, {}

    return _under_claim(office, ask, "record.assistant_back", work)


def note(office: Office, ask: Ask) -> Response:
    """Write a note, or plan the next call, or both."""

    def work(db: sa.engine.Connection, card: Card) -> tuple[bool, dict[str, Any]]:
        plan = _plan(ask, card.clinic)
        if plan is None and not ask.form.get("note", "").strip():
            raise _Unfit("Write a note, or choose when to call next.")
        changed = _change(db, ask, card, {"next_try": plan} if plan else {})
        if changed:
            _write(db, ask, card, casework.NOTE)
        return changed, {"planned": plan is not None}

    return _under_claim(office, ask, "record.noted", work)


def hand_over(office: Office, ask: Ask) -> Response:
    """Give the record to a colleague, with a note."""

    def work(db: sa.engine.Connection, card: Card) -> tuple[bool, dict[str, Any]]:
        chosen = {member.name: member for member in card.colleagues}.get(ask.form.get("to", ""))
        if chosen is None:
            raise _Unfit("Choose the colleague who takes it.")
        changed = Casework(db).hand_over(card.reference, ask.member.id, chosen.id, ask.now)
        if changed:
            _write(db, ask, card, casework.HANDED_OVER, chosen.name)
        return changed, {"to": chosen.name}

    return _under_claim(office, ask, "record.handed_over", work)


def close(office: Office, ask: Ask) -> Response:
    """Close with a disposition, or ask the second person to agree that it is closed."""

    def work(db: sa.engine.Connection, card: Card) -> tuple[bool, dict[str, Any]]:
        disposition = _choice(office.desk.disposition, ask, "disposition", "Say how it ends.")
        asking = card.two_needed
        if asking and not ask.form.get("note", "").strip():
            raise _Unfit("Write for the second person why it may be closed.")
        move = moves.ASK_SECOND if asking else moves.RESOLVE
        values: dict[str, Any] = {
            "status": moves.after(card.case.status, move),
            "disposition": disposition.id,
            "claimed_by": None,
            "claimed_until": None,
        }
        if asking:
            values["closing_by"] = ask.member.id
        else:
            values |= {"closed": ask.now, "next_try": None, "new_message": None}
        changed = _change(db, ask, card, values)
        if changed:
            kind = casework.CLOSE_ASKED if asking else casework.CLOSE
            _write(db, ask, card, kind, disposition.id)
        return changed, {"disposition": disposition.id, "second_person": asking}

    return _under_claim(office, ask, "record.close", work)


def second(office: Office, ask: Ask) -> Response:
    """The second person agrees that an unreached person of high risk is closed, or not."""
    reference = _code(ask)
    agreed = ask.form.get("agree") == "yes"
    card = load_card(office, ask, reference)
    with writing(office.engine) as db:
        if _sent_twice(db, ask, reference):
            return to(_path(reference))
        settled = Casework(db).settle_closing(reference, ask.member.id, ask.now, agreed=agreed)
        if settled:
            kind = casework.CLOSE_AGREED if agreed else casework.CLOSE_REFUSED
            _write(db, ask, card, kind, card.case.disposition)
            Audit(db).add(
                actor=ask.member.name,
                action="record.close_agreed" if agreed else "record.close_refused",
                subject=reference,
                at=ask.now,
            )
    if settled:
        return to(_path(reference))
    own = card.case.closing_by == ask.member.id
    return _page(office, ask, card, problem=_OWN_CLOSING if own else _MOVED_ON, status=409)


def _unless_merged(
    handler: Callable[[Office, Ask], Response],
) -> Callable[[Office, Ask], Response]:
    """`handler`, but a form of a record that was merged meanwhile changes nothing.

    The record that goes on is shown instead, with what was typed: it holds more than the
    page from which the form came.
    """

    def checked(office: Office, ask: Ask) -> Response:
        code = _code(ask)
        reference = _current(office, code)
        if reference == code:
            return handler(office, ask)
        card = load_card(office, ask, reference)
        return _page(office, ask, card, problem=_MERGED.format(code=code), status=409)

    return checked


FORMS: dict[str, Callable[[Office, Ask], Response]] = {
    "claim": _unless_merged(claim),
    "release": _unless_merged(release),
    "attempt": _unless_merged(attempt),
    "note": _unless_merged(note),
    "text": _unless_merged(text),
    "assistant": _unless_merged(assistant),
    "hand-over": _unless_merged(hand_over),
    "close": _unless_merged(close),
    "second": _unless_merged(second),
}


class _Unfit(Exception):
    """What was chosen or typed cannot be used; the text says why."""


def _under_claim(
    office: Office,
    ask: Ask,
    action: str,
    work: Callable[[sa.engine.Connection, Card], tuple[bool, dict[str, Any]]],
) -> Response:
    """Do `work` on a record that the member holds, or takes now because it is free.

    Whatever hinders it, the page comes back with what was typed.
    """
    reference = _code(ask)
    card = load_card(office, ask, reference)
    try:
        with writing(office.engine) as db:
            held = Casework(db).claim(reference, ask.member.id, ask.now)
            if _sent_twice(db, ask, reference):
                return to(_path(reference))
            if not held:
                raise _Unfit(_CLOSED if card.case.status == moves.CLOSED else _TAKEN)
            changed, details = work(db, card)
            if not changed:
                raise _Unfit(_MOVED_ON)
            Audit(db).add(
                actor=ask.member.name,
                action=action,
                subject=reference,
                details=details,
                at=ask.now,
            )
    except (_Unfit, NotAllowedError) as error:
        text = str(error) if isinstance(error, _Unfit) else _MOVED_ON
        status = 409 if text in (_TAKEN, _CLOSED, _MOVED_ON) else 422
        fresh = load_card(office, ask, reference)
        return _page(office, ask, fresh, problem=text, status=status)
    return to(_path(reference))


def _page(
    office: Office, ask: Ask, card: Card, *, problem: str | None = None, status: int = 200
) -> Response:
    return office.page(
        ask,
        "card.html",
        status=status,
        card=card,
        problem=problem,
        typed=ask.form,
        other=card.held_by_other(ask.member, ask.now),
        desk=office.desk,
        once=secrets.token_urlsafe(12),
        display_phone=display_phone,
        level_names=queue.LEVEL_NAMES,
        consultation=CONSULTATION,
        entry_words=lambda entry: _entry_words(entry, office, card.colleagues),
        when=lambda moment: queue.clock_time(moment, ask.now, card.clinic),
        form_name=ask.request.url.path.rpartition("/")[2] if ask.form else "",
    )


def _entry_words(entry: Entry, office: Office, colleagues: list[Member]) -> str:
    """What was done, in words."""
    detail = entry.detail or ""
    if entry.kind == casework.ATTEMPT:
        return f"Called: {office.desk.outcome(detail).label}"
    if entry.kind == casework.HANDED_OVER:
        names = {member.name: member.full_name for member in colleagues}
        return f"Handed over to {names.get(detail, detail)}"
    if entry.kind == casework.TEXTED:
        return "Texted the visitor"
    if entry.kind == casework.NOTE:
        return "Note"
    ending = office.desk.disposition(detail).label if detail else ""
    return f"{_CLOSINGS[entry.kind]}: {ending}"


def _line(db: sa.engine.Connection, card: Card, ask: Ask) -> texting.Line | None:
    talks = Handoffs(db).conversations(card.reference)
    return texting.line_to(db, card.record, card.clinic, talks, ask.now)


def _change(db: sa.engine.Connection, ask: Ask, card: Card, values: dict[str, Any]) -> bool:
    return Casework(db).change(
        card.reference, ask.member.id, ask.now, was=card.case.status, **values
    )


def _write(
    db: sa.engine.Connection, ask: Ask, card: Card, kind: str, detail: str | None = None
) -> None:
    Casework(db).write(card.reference, ask.member.id, ask.now, kind, detail, _note(ask))


def _sent_twice(db: sa.engine.Connection, ask: Ask, reference: str) -> bool:
    """Whether this very form was the last thing done to the record, a moment ago.

    A double click sends a form twice, and shows only what the second one is answered.
    """
    kinds, field = _DONE_BY[ask.request.url.path.rpartition("/")[2]]
    return any(
        entry.kind in kinds
        and entry.by == ask.member.full_name
        and ask.now - entry.at <= _DOUBLE_CLICK
        and (field is None or entry.detail == ask.form.get(field))
        and (entry.note or "") == _note(ask)
        for entry in Casework(db).entries(reference)[-1:]
    )


def _note(ask: Ask) -> str:
    return ask.form.get("note", "").strip()[:_LONGEST_NOTE]


def _choice(find: Callable[[str], Any], ask: Ask, field: str, otherwise: str) -> Any:
    try:
        return find(ask.form.get(field, ""))
    except KeyError:
        raise _Unfit(otherwise) from None


def _plan(ask: Ask, clinic: Clinic) -> datetime | None:
    """When to call next, as typed in the clinic's zone; None if nothing was typed."""
    typed = ask.form.get("next_try", "").strip()
    if not typed:
        return None
    try:
        wall = datetime.fromisoformat(typed)
        planned = wall.replace(tzinfo=clinic_zone(clinic)).astimezone(timezone.utc)
    except UnreadableHoursError:
        raise _Unfit("The clinic's time zone cannot be read; tell its admin.") from None
    except (ValueError, OverflowError):
        raise _Unfit("Write the time of the next call like 2026-11-23 09:30.") from None
    if planned <= ask.now:
        raise _Unfit("The next call must lie ahead.")
    return planned


def _code(ask: Ask) -> str:
    code = normalise(ask.request.path_params["reference"])
    if code is None:
        raise NOT_HERE
    return code


def _current(office: Office, code: str) -> str:
    """The code under which the record goes on; `code` itself if there is no such record."""
    with reading(office.engine) as db:
        return Handoffs(db).current(code) or code


def _path(reference: str) -> str:
    return f"/console/records/{reference}"


def _answers(record: HandoffRecord) -> list[Answered]:
    """The answers in the order of the questionnaire, as the visitor saw them."""
    found = []
    for name, item in load_questionnaire().items.items():
        value = record.answers.get(name)
        if value is None or value == UNKNOWN:
            continue
        found.append(
            Answered(
                item=name,
                topic=item.topic.en,
                value=item.label_of(value, "en") or value,
                part_2=name in SUBSTANCE_ITEMS,
            )
        )
    return found


def _said(message: StoredMessage, clinic: Clinic, now: datetime) -> Said:
    return Said(
        message=message,
        pieces=pieces(message.text, message.evidence),
        causes=causes([part.rule for part in message.evidence])
        if message.tier not in (None, TIER_NONE)
        else [],
        at=queue.local(message.at, clinic).strftime("%b %-d, %-I:%M %p"),
    )


_CLOSINGS = {
    casework.CLOSE: "Closed",
    casework.CLOSE_ASKED: "Asked for a second person",
    casework.CLOSE_AGREED: "Agreed and closed",
    casework.CLOSE_REFUSED: "Not agreed",
}
# What each form leaves in the list of what was done, and which of its fields stands there.
_DONE_BY: dict[str, tuple[tuple[str, ...], str | None]] = {
    "attempt": ((casework.ATTEMPT,), "outcome"),
    "note": ((casework.NOTE,), None),
    "hand-over": ((casework.HANDED_OVER,), "to"),
    "close": ((casework.CLOSE, casework.CLOSE_ASKED), "disposition"),
    "second": ((casework.CLOSE_AGREED, casework.CLOSE_REFUSED), None),
    "text": ((), None),  # knows itself by `once`
    "assistant": ((), None),
}
_DOUBLE_CLICK = timedelta(seconds=30)  # also that of somebody who waits for a slow answer
_CLOSED = "This record is closed. Nothing was saved."
_TAKEN = "Somebody else has this record now. Nothing was saved; your words are still here."
_MOVED_ON = "The record has changed meanwhile. Nothing was saved; look again and repeat it."
_MERGED = (
    "{code} goes on as this record: the same person wrote again. Nothing was saved; your words "
    "are still here. Look at what is new and repeat it."
)
_OWN_CLOSING = "You asked for the second person yourself; somebody else must answer."
