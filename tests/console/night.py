"""Five visitors of one night, as the assistant leaves them: for tests and for pictures."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

import sqlalchemy as sa

from bot.handoff.records import HandoffRecord
from bot.safety.reading import Evidence, Reading
from bot.store import Conversations, Messages, writing
from bot.store.handoffs import Handoffs
from bot.store.records import Conversation, Incoming, Outgoing
from bot.turns import TurnState

CLINIC = "greater_boston"
OTHER_CLINIC = "time_wellness_georgia"
# Wednesday, 9:05 in the morning in Boston; the line opened at 8:30.
MORNING = datetime(2026, 11, 18, 14, 5, tzinfo=timezone.utc)
NIGHT = datetime(2026, 11, 18, 3, 12, tzinfo=timezone.utc)  # 10:12 PM the evening before

# Codes whose check character fits.
IN_CRISIS, PARENT, IOP, SPANISH, CALLS_US, ELSEWHERE = (
    "K7M-4QY", "B2N-8X4", "H9T-3WD", "P4C-6ZU", "R8E-2KC", "M3V-7AC"
)  # fmt: skip
CRISIS_TEXT = "nobody would notice. I dont want to be here anymore, I want to end my life"


def record(
    conversation: str, *, clinic: str = CLINIC, channel: str = "web", **fields: object
) -> HandoffRecord:
    """A hand-off record with something in every field that is needed."""
    needed = {"kind": "callback", "language": "en", "tier": "none", **fields}
    return HandoffRecord(conversation=conversation, clinic=clinic, channel=channel, **needed)


def store_record(
    engine: sa.engine.Engine,
    reference: str,
    handed_off: HandoffRecord,
    at: datetime = NIGHT,
    said: tuple[tuple[str, str], ...] = (),
) -> None:
    """Store a record and its conversation; `said` alternates visitor and assistant."""
    with writing(engine) as db:
        Conversations(db).add(
            Conversation(
                id=handed_off.conversation,
                clinic=handed_off.clinic,
                channel=handed_off.channel,
                token_hash=None,
                chosen_language=None,
                created=at,
                state=TurnState(tier=handed_off.tier, language=handed_off.language),
            )
        )
        for number, (who, text) in enumerate(said):
            moment = at + timedelta(seconds=20 * number)
            if who == "out":
                Messages(db).add_outgoing(
                    handed_off.conversation, Outgoing(text, "answer", (), moment), None
                )
                continue
            reading = Reading()
            if text == CRISIS_TEXT:
                spans = [("I dont want to be here anymore", "not_be_here"),
                         ("I want to end my life", "kill_self_named")]  # fmt: skip
                reading = Reading(
                    "crisis_self",
                    ("suicide_active",),
                    tuple(
                        Evidence(text.index(span), text.index(span) + len(span), rule)
                        for span, rule in spans
                    ),
                )
            Messages(db).add_incoming(
                handed_off.conversation, Incoming(f"m{number}", text, reading, moment)
            )
        Handoffs(db).add(reference, handed_off, at, date(at.year, at.month, at.day))


def store_night(engine: sa.engine.Engine) -> None:
    """Five visitors of one clinic between 10 PM and 6 AM, and one of another clinic."""
    store_record(
        engine,
        IOP,
        record(
            f"{CLINIC}.iop",
            level="iop",
            at_least="iop",
            answers={
                "for_whom": "self", "age_band": "adult", "state": "MA", "safety_now": "no",
                "withdrawal_risk": "none", "recent_care": "inpatient", "stability": "stable",
                "symptom_severity": "moderate", "daily_functioning": "struggling",
                "substance_use": "alongside", "availability": "evenings",
            },
            reasons=[{"rule": "step-down", "why": "After inpatient care, IOP is the usual step "
                      "down.", "items": ["recent_care"]}],
            unknown=["support_at_home"],
            name="Dana Whitfield",
            phone="+16175550142",
            best_time="after 3 pm",
            ok_voicemail="yes",
            ok_to_call="yes",
            ok_to_text="no",
            state="MA",
            consent="May a coordinator call you?",
            consent_at=NIGHT,
        ),
        NIGHT,
        (
            ("in", "what is the difference between iop and regular therapy"),
            ("out", "The main difference is how much time and support you get."),
            ("in", "I was in the hospital until last week. evenings would be best for work"),
            ("out", "Thank you. A coordinator can call you. What should we call you?"),
            ("in", "Dana Whitfield"),
        ),
    )  # fmt: skip
    store_record(
        engine,
        PARENT,
        record(
            f"{CLINIC}.parent",
            channel="sms",
            tier="crisis_other",
            tier_rule="other_at_risk",
            safety_category="third_person",
            answers={"for_whom": "someone_else", "age_band": "under_18"},
            relation="son",
            name="Marisol",
            phone="+16175550177",
            phone_owner="visitor",
            best_time="any time",
            ok_voicemail="no",
            kind="callback",
        ),
        NIGHT + timedelta(hours=1, minutes=35),
        (
            ("in", "my son says he wants to die and he wont come out of his room"),
            ("out", "I'm glad you wrote. If he is in danger now, call 911. Call or text 988."),
        ),
    )
    store_record(
        engine,
        IN_CRISIS,
        record(
            f"{CLINIC}.crisis",
            kind="crisis",
            tier="crisis_self",
            tier_rule="kill_self_named",
            safety_category="suicide_active",
        ),
        NIGHT + timedelta(hours=3, minutes=2),
        (
            ("in", "is this a real person"),
            ("out", "I'm an automated assistant. A person can call you."),
            ("in", CRISIS_TEXT),
            ("out", "I'm really glad you told me. You can call or text 988 right now."),
        ),
    )
    store_record(
        engine,
        SPANISH,
        record(
            f"{CLINIC}.spanish",
            language="es",
            level="consultation",
            at_least="outpatient",
            name="José Ramírez",
            phone="+17815550119",
            best_time="por la mañana",
            ok_voicemail="yes",
        ),
        NIGHT + timedelta(hours=4, minutes=40),
        (("in", "necesito ayuda con la ansiedad de mi esposa"), ("out", "Claro que sí.")),
    )
    store_record(
        engine,
        CALLS_US,
        record(f"{CLINIC}.calls", kind="phone", level="outpatient", at_least="outpatient"),
        NIGHT + timedelta(hours=7, minutes=5),
        (("in", "can I talk to someone"), ("out", "Yes. Call 888-278-0716.")),
    )
    store_record(
        engine,
        ELSEWHERE,
        record(f"{OTHER_CLINIC}.one", clinic=OTHER_CLINIC, name="Not Yours", phone="+14045550123"),
        NIGHT + timedelta(hours=2),
    )
