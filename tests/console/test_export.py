"""What leaves the console."""

from __future__ import annotations

import csv
import io

from fhir.resources.R4B.bundle import Bundle

from bot.console.export_pages import safe_cell
from bot.console.fhir import REDISCLOSURE_NOTICE
from bot.store import reading
from bot.store.audit import Audit
from tests.console.night import IN_CRISIS, IOP, PARENT
from tests.console.staffed import store_one


async def exported(browser, reference: str, **fields: str) -> Bundle:
    """The record as FHIR, read by the library that knows the standard."""
    answer = await browser.post(f"/console/records/{reference}/fhir", **fields)
    assert answer.headers["content-type"] == "application/fhir+json"
    return Bundle.parse_raw(answer.text)


async def test_a_record_is_valid_fhir_and_its_parts_refer_to_each_other(rosa):
    for reference in (IOP, PARENT, IN_CRISIS):
        bundle = await exported(rosa, reference)
        response, request, task = (entry.resource for entry in bundle.entry)
        assert [one.resource_type for one in (response, request, task)] == [
            "QuestionnaireResponse", "ServiceRequest", "Task"
        ]  # fmt: skip
        assert task.focus.reference == bundle.entry[1].fullUrl
        assert request.supportingInfo[0].reference == bundle.entry[0].fullUrl


async def test_risk_sets_the_priority(rosa):
    assert (await exported(rosa, IN_CRISIS)).entry[1].resource.priority == "asap"
    assert (await exported(rosa, IOP)).entry[1].resource.priority == "routine"


async def test_whoever_asks_for_somebody_else_is_not_the_patient(rosa):
    patient, visitor = (await exported(rosa, PARENT)).entry[1].resource.contained
    assert patient.telecom is None
    assert visitor.telecom[0].value == "+16175550177"


async def test_substance_use_goes_along_only_when_ticked_and_then_with_the_notice(rosa):
    plain = (await exported(rosa, IOP)).json()
    ticked = (await exported(rosa, IOP, part_2="yes")).json()
    assert "substance_use" not in plain
    assert "substance_use" in ticked
    assert "42CFRPart2" in ticked
    assert REDISCLOSURE_NOTICE in ticked


async def test_the_page_to_print_says_what_was_left_out(rosa):
    plain = await rosa.post(f"/console/records/{IOP}/print")
    ticked = await rosa.post(f"/console/records/{IOP}/print", part_2="yes")
    assert "(42 CFR Part 2) is left out" in plain.text
    assert REDISCLOSURE_NOTICE in ticked.text


async def test_the_list_on_the_screen_comes_as_csv(rosa):
    answer = await rosa.post("/console/export.csv", tab="waiting", urgency="crisis")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert {row["code"] for row in rows} == {IN_CRISIS, PARENT}
    assert "substance_use" not in rows[0]


async def test_a_name_that_is_a_formula_stays_a_name_in_a_spreadsheet(rosa, engine):
    store_one(engine, "T4E-9HB", name='=HYPERLINK("http://evil.test","x")', phone="+16175550100")
    answer = await rosa.post("/console/export.csv", tab="waiting")
    rows = {row["code"]: row for row in csv.DictReader(io.StringIO(answer.text))}
    assert rows["T4E-9HB"]["name"].startswith("'=HYPERLINK")
    assert safe_cell("+1") == "'+1"


async def test_a_danger_of_substance_use_is_not_named_without_the_tick(rosa, engine):
    store_one(
        engine, "T4E-9HB", tier="crisis_self", safety_category="overdose_and_poison", kind="crisis"
    )
    for ticked, named in (("", False), ("yes", True)):
        sent = {"part_2": ticked} if ticked else {}
        for answer in (
            await rosa.post("/console/export.csv", tab="waiting", **sent),
            await rosa.post("/console/records/T4E-9HB/print", **sent),
            await rosa.post("/console/records/T4E-9HB/fhir", **sent),
        ):
            assert ("overdose" in answer.text.lower()) == named


async def test_every_export_is_in_the_audit(rosa, engine):
    await exported(rosa, IOP, part_2="yes")
    with reading(engine) as db:
        [entry] = Audit(db).latest(1)
    assert (entry.actor, entry.action, entry.subject) == ("rosa", "export.fhir", IOP)
    assert entry.details == {"part_2": True}
