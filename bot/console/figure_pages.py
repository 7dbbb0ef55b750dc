"""The page of figures: the last 30 days of the member's clinics."""

from __future__ import annotations

from datetime import timedelta, timezone

from starlette.responses import Response

from bot.console import queue
from bot.console.figures import Called, Talk, figures
from bot.console.office import Ask, Office
from bot.console.queue_pages import waiting
from bot.store import reading, writing
from bot.store.audit import Audit
from bot.store.casework import Casework
from bot.store.counts import Counts
from bot.vocabulary import SUPERVISOR, faq_intent

DAYS = 30
# Answers that say: I did not understand, or that is not for me.
_NOT_UNDERSTOOD = ("repair_first", "repair_choices", "repair_person", "out_of_scope")


def show(office: Office, ask: Ask) -> Response:
    """The page. What was not answered is for supervisors alone."""
    since = ask.now - timedelta(days=DAYS)
    clinics = [clinic for clinic in ask.member.clinics if clinic in office.clinics]
    # Topics on which a clinic's material is silent: the answer says so and gives the line.
    silent = {
        faq_intent(entry.topic)
        for clinic in clinics
        for entry in office.clinics[clinic].faq
        if not entry.known
    }
    with reading(office.engine) as db:
        work = Casework(db)
        listed = [*work.listed(clinics), *work.listed(clinics, closed=True)]
        talks = [Talk(*row) for row in Counts(db).conversations(clinics, since)]
        unanswered = (
            Counts(db).answers(clinics, since, [*_NOT_UNDERSTOOD, *silent])
            if ask.member.role == SUPERVISOR
            else []
        )
    zone = queue.zone_of(office.clinics[clinics[0]]) if clinics else timezone.utc
    counted = figures(
        talks,
        [Called(waiting(one), one.case.first_attempt) for one in listed if one.created >= since],
        unanswered,
        zone,
    )
    with writing(office.engine) as db:
        Audit(db).add(actor=ask.member.name, action="figures.viewed", at=ask.now)
    return office.page(
        ask,
        "figures.html",
        counted=counted,
        days=DAYS,
        series=[one for one in counted.series if one.names],
        short=queue.spoken,
        minutes=lambda number: queue.spoken(timedelta(minutes=number)),
    )
