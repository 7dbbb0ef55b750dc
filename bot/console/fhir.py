"""One record as FHIR R4: a transaction Bundle for the clinic's EHR. Pure.

Patient and RelatedPerson are contained, because nobody has checked who the visitor is: an
EHR must not take them for a person it knows. Answers become a QuestionnaireResponse whose
linkIds are Handrail's item names; the request for a call is a ServiceRequest; what staff did
with it is the Task's status (https://hl7.org/fhir/R4/).
"""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any

from bot.console.moves import ATTEMPTED, CLOSED, CLOSING, NEW, REACHED
from bot.handoff.records import HandoffRecord

SYSTEM = "urn:handrail"
REDISCLOSURE_NOTICE = "42 CFR part 2 prohibits unauthorized use or disclosure of these records."
"""The short notice of 42 CFR 2.32(a)(2), which goes with every disclosure."""

_PRIORITY = {"emergency": "stat", "crisis": "asap", "concern": "urgent"}
_TASK_STATUS = {
    NEW: "requested",
    ATTEMPTED: "in-progress",
    REACHED: "in-progress",
    CLOSING: "in-progress",
}
# v3-ActCode: what a receiver must know before passing it on.
_PART_2 = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
    "code": "42CFRPart2",
    "display": "42 CFR Part2",
}


@dataclasses.dataclass(frozen=True)
class Response:
    """An answer: item name, the topic and the answer in words; `part_2` as on the card."""

    item: str
    topic: str
    value: str
    part_2: bool


def bundle(
    reference: str,
    record: HandoffRecord,
    answers: Sequence[Response],
    *,
    urgency: str,
    status: str,
    task_end: str | None,
    reason: str,
    created: datetime,
    with_part_2: bool,
) -> dict[str, Any]:
    """The record as plain JSON values.

    Args:
        urgency: a member of `bot.console.desk.URGENCIES`.
        status: a member of `bot.console.moves.STATUSES`.
        task_end: the task's status of the disposition, if it is closed.
        reason: why it stands in the queue, one line.
        with_part_2: answers about substance use go along, marked; else they are left out.
    """
    shown = [answer for answer in answers if with_part_2 or not answer.part_2]
    marked = with_part_2 and any(answer.part_2 for answer in answers)
    request, response, task = (
        f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'{SYSTEM}:{reference}:{kind}')}"
        for kind in ("ServiceRequest", "QuestionnaireResponse", "Task")
    )
    instant = created.astimezone(timezone.utc).isoformat(timespec="seconds")
    common: dict[str, Any] = {"meta": {"security": [_PART_2]}} if marked else {}
    contained = _people(record)
    about = {"reference": "#patient"}
    resources = {
        response: {
            "resourceType": "QuestionnaireResponse",
            **common,
            "contained": contained,
            "status": "completed" if record.level else "in-progress",
            "subject": about,
            "authored": instant,
            "item": [
                {"linkId": one.item, "text": one.topic, "answer": [{"valueString": one.value}]}
                for one in shown
            ],
        },
        request: {
            "resourceType": "ServiceRequest",
            **common,
            "contained": contained,
            "identifier": [{"system": f"{SYSTEM}:reference", "value": reference}],
            "status": "active" if status != CLOSED else "completed",
            "intent": "proposal",
            "priority": _PRIORITY.get(urgency, "routine"),
            "code": {"text": "Behavioral health intake: call by a coordinator"},
            "subject": about,
            "authoredOn": instant,
            "reasonCode": [{"text": reason}],
            "supportingInfo": [{"reference": response}],
            **_when(record),
            "note": [{"text": note} for note in _notes(record, marked)],
        },
        task: {
            "resourceType": "Task",
            **common,
            "status": task_end if status == CLOSED and task_end else _TASK_STATUS[status],
            "intent": "order",
            "priority": _PRIORITY.get(urgency, "routine"),
            "description": reason,
            "focus": {"reference": request},
            "authoredOn": instant,
        },
    }
    for resource in resources.values():
        for empty in [name for name, value in resource.items() if value == []]:
            del resource[empty]
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "timestamp": instant,
        **common,
        "entry": [
            {
                "fullUrl": url,
                "resource": resource,
                "request": {"method": "POST", "url": resource["resourceType"]},
            }
            for url, resource in resources.items()
        ],
    }


def _people(record: HandoffRecord) -> list[dict[str, Any]]:
    """The patient, and whoever asks for them, each with what was told and nothing more."""
    contact: dict[str, Any] = {}
    if record.name:
        contact["name"] = [{"use": "usual", "text": record.name}]
    if record.phone:
        contact["telecom"] = [{"system": "phone", "value": record.phone}]
    language = {"communication": [{"language": {"coding": [_language(record.language)]}}]}
    if record.answers.get("for_whom") != "someone_else":
        return [
            {"resourceType": "Patient", "id": "patient", "active": False, **contact, **language}
        ]
    return [
        {"resourceType": "Patient", "id": "patient", "active": False},
        {
            "resourceType": "RelatedPerson",
            "id": "visitor",
            "active": False,
            "patient": {"reference": "#patient"},
            "relationship": [{"text": f"asks for: {record.relation or 'somebody else'}"}],
            **contact,
            **language,
        },
    ]


def _language(code: str) -> dict[str, str]:
    return {"system": "urn:ietf:bcp:47", "code": code}


def _when(record: HandoffRecord) -> dict[str, Any]:
    if record.call_from is None or record.call_until is None:
        return {}
    return {
        "occurrencePeriod": {
            "start": record.call_from.isoformat(timespec="seconds"),
            "end": record.call_until.isoformat(timespec="seconds"),
        }
    }


def _notes(record: HandoffRecord, marked: bool) -> list[str]:
    notes = []
    if record.best_time:
        notes.append(f"Best time: {record.best_time}")
    notes.append(f"Voicemail: {record.ok_voicemail or 'not asked'}")
    if record.level:
        notes.append(f"Level of care by rule, for a clinician to decide: {record.level}")
    if marked:
        notes.append(REDISCLOSURE_NOTICE)
    return notes
