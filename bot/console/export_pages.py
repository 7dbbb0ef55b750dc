"""What leaves the console: a list as CSV, a record on paper, a record as FHIR. All audited.

Answers about substance use (42 CFR Part 2) go along only where that was ticked, and then
with the notice that forbids passing them on.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import json

from starlette.responses import Response

from bot.console import queue
from bot.console.card import Card, load_card
from bot.console.fhir import REDISCLOSURE_NOTICE, bundle
from bot.console.fhir import Response as FhirResponse
from bot.console.office import NOT_HERE, Ask, Office
from bot.console.queue_pages import Row, chosen_of, rows_of
from bot.handoff.callback import display_phone
from bot.handoff.reference import normalise
from bot.handoff.summary import SUBSTANCE_CATEGORIES
from bot.store import reading, writing
from bot.store.audit import Audit
from bot.store.handoffs import Handoffs

_COLUMNS = (
    *("code", "clinic", "urgency", "why", "status", "timer", "asked_utc", "name", "phone"),
    *("best_time", "voicemail", "language", "level"),
)
_STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def queue_csv(office: Office, ask: Ask) -> Response:
    """The rows of the list that was on the screen, all pages of it."""
    rows = rows_of(office, ask, chosen_of(ask.form))
    with_part_2 = _ticked(ask)
    with reading(office.engine) as db:
        records = Handoffs(db).records([row.record.reference for row in rows])
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([*_COLUMNS, *(["substance_use", "notice"] if with_part_2 else [])])
    for row in rows:
        record = records[row.record.reference]
        cells = [
            row.record.reference,
            row.record.clinic,
            row.label,
            _why(office, row, with_part_2),
            row.status,
            row.timer.words,
            row.record.created.strftime("%Y-%m-%d %H:%M"),
            record.name or "",
            display_phone(record.phone) if record.phone else "",
            record.best_time or "",
            record.ok_voicemail or "",
            record.language,
            record.level or "",
        ]
        if with_part_2:
            cells += [record.answers.get("substance_use", ""), REDISCLOSURE_NOTICE]
        writer.writerow([safe_cell(cell) for cell in cells])
    codes = " ".join(row.record.reference for row in rows)
    _audit(office, ask, "export.csv", None, {"part_2": with_part_2, "records": codes})
    return Response(
        text.getvalue(),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="handrail-queue.csv"'},
    )


def printable(office: Office, ask: Ask) -> Response:
    """One record as a page for paper."""
    card = _card(office, ask)
    with_part_2 = _ticked(ask)
    _audit(office, ask, "export.print", card.reference, {"part_2": with_part_2})
    return office.page(
        ask,
        "print.html",
        card=card,
        why=_why(office, card.row, with_part_2),
        answers=[one for one in card.answers if with_part_2 or not one.part_2],
        left_out=card.part_2 and not with_part_2,
        notice=REDISCLOSURE_NOTICE if card.part_2 and with_part_2 else None,
        display_phone=display_phone,
        level_names=queue.LEVEL_NAMES,
        when=lambda moment: queue.clock_time(moment, ask.now, card.clinic),
        printed=queue.local(ask.now, card.clinic).strftime("%Y-%m-%d %H:%M"),
    )


def fhir_bundle(office: Office, ask: Ask) -> Response:
    """One record as a FHIR R4 transaction."""
    card = _card(office, ask)
    with_part_2 = _ticked(ask)
    ending = card.case.disposition
    content = bundle(
        card.reference,
        card.record,
        [FhirResponse(one.item, one.topic, one.value, one.part_2) for one in card.answers],
        urgency=card.row.urgency,
        status=card.case.status,
        task_end=office.desk.disposition(ending).fhir if ending else None,
        reason=_why(office, card.row, with_part_2),
        created=card.waiting.created,
        with_part_2=with_part_2,
    )
    _audit(office, ask, "export.fhir", card.reference, {"part_2": with_part_2})
    return Response(
        json.dumps(content, ensure_ascii=False, indent=2),
        media_type="application/fhir+json",
        headers={"Content-Disposition": f'attachment; filename="{card.reference}.json"'},
    )


def safe_cell(text: str) -> str:
    """A cell that a spreadsheet does not take for a formula."""
    return f"'{text}" if text.startswith(_STARTS_FORMULA) else text


def _why(office: Office, row: Row, with_part_2: bool) -> str:
    """Why it is urgent; without the kind of danger where that is about substance use."""
    if with_part_2 or row.record.danger not in SUBSTANCE_CATEGORIES:
        return row.reason
    return queue.reason(dataclasses.replace(row.record, danger=None), office.desk)


def _card(office: Office, ask: Ask) -> Card:
    code = normalise(ask.request.path_params["reference"])
    if code is None:
        raise NOT_HERE
    return load_card(office, ask, code)


def _ticked(ask: Ask) -> bool:
    return ask.form.get("part_2") == "yes"


def _audit(
    office: Office, ask: Ask, action: str, subject: str | None, details: dict[str, str | bool]
) -> None:
    with writing(office.engine) as db:
        Audit(db).add(
            actor=ask.member.name, action=action, subject=subject, details=details, at=ask.now
        )
