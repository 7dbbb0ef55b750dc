"""The tables. Migrations under `migrations/` create exactly these; a test compares."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import sqlalchemy as sa

from bot.store.vault import Blind, Sealed


class Moment(sa.types.TypeDecorator):
    """A point in time: zone-aware in Python, UTC in the database."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        utc = value.astimezone(timezone.utc)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            return value.replace(tzinfo=timezone.utc)
        return value.astimezone(timezone.utc)


metadata = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

conversation = sa.Table(
    "conversation",
    metadata,
    sa.Column("id", sa.String(120), primary_key=True),
    sa.Column("clinic", sa.String(80), nullable=False),
    sa.Column("channel", sa.String(20), nullable=False),
    # SHA-256 of the visitor's token; none where the channel proves who writes (SMS).
    sa.Column("token_hash", sa.String(64)),
    # What the visitor chose outside the chat, if anything; `language` is what is spoken.
    sa.Column("chosen_language", sa.String(2)),
    sa.Column("created", Moment, nullable=False),
    sa.Column("updated", Moment, nullable=False),
    # Where it stands: bot.turns.TurnState after the last turn.
    sa.Column("tier", sa.String(20), nullable=False),
    sa.Column("level", sa.String(30)),
    sa.Column("handoff", sa.String(20), nullable=False),
    sa.Column("open_question", sa.String(40)),
    sa.Column("language", sa.String(2), nullable=False),
    sa.Column("reference", sa.String(20)),
)

message = sa.Table(
    "message",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column(
        "conversation",
        sa.ForeignKey("conversation.id", ondelete="CASCADE"),
        nullable=False,
    ),
    # 1, 2, 3 ... within the conversation, both directions; the order of the transcript.
    sa.Column("seq", sa.Integer, nullable=False),
    sa.Column("direction", sa.String(3), nullable=False),
    # in: the sender's id of the message, the same for a repeated one.
    sa.Column("client_message_id", sa.String(120)),
    # out: seq of the visitor's message that it answers; none for the greeting.
    sa.Column("answers", sa.Integer),
    sa.Column("text", Sealed(), nullable=False),
    # out: name of the reviewed text.
    sa.Column("response", sa.String(80)),
    # in: what the safety screen said; evidence as [[start, end, rule], ...].
    sa.Column("tier", sa.String(20)),
    sa.Column("categories", sa.JSON(none_as_null=True)),
    sa.Column("evidence", sa.JSON(none_as_null=True)),
    sa.Column("at", Moment, nullable=False),
    sa.UniqueConstraint("conversation", "seq"),
    sa.UniqueConstraint("conversation", "client_message_id"),
    sa.CheckConstraint("direction IN ('in', 'out')", name="ck_message_direction"),
    info={"row": ("conversation", "seq")},
)

button = sa.Table(
    "button",
    metadata,
    # Opaque and unguessable: all that a browser ever learns about the button's meaning.
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column(
        "conversation",
        sa.ForeignKey("conversation.id", ondelete="CASCADE"),
        nullable=False,
    ),
    sa.Column("message_seq", sa.Integer, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("label", Sealed(), nullable=False),
    sa.Column("intent", sa.String(80), nullable=False),
    sa.Column("entities", Sealed(json=True), nullable=False),
    sa.UniqueConstraint("conversation", "message_seq", "position"),
)

# Rasa's events of one conversation, in order. No foreign key: the brain also keeps
# trackers that no visitor started (its readiness check, `rasa shell`).
tracker_event = sa.Table(
    "tracker_event",
    metadata,
    sa.Column("conversation", sa.String(120), primary_key=True),
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("event", Sealed(), nullable=False),
)

# One row for every message of danger, whether or not contact details follow.
alert = sa.Table(
    "alert",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column(
        "conversation",
        sa.ForeignKey("conversation.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    sa.Column("message_seq", sa.Integer, nullable=False),
    sa.Column("tier", sa.String(20), nullable=False),
    sa.Column("categories", sa.JSON, nullable=False),
    sa.Column("at", Moment, nullable=False),
)

# What staff find under a reference code; a repeated request updates it. No foreign key
# to conversation, for the same reason as tracker_event.
handoff = sa.Table(
    "handoff",
    metadata,
    sa.Column("reference", sa.String(20), primary_key=True),
    # The one that began it; all that lead to it stand in handoff_conversation.
    sa.Column("conversation", sa.String(120), nullable=False, unique=True),
    sa.Column("clinic", sa.String(80), nullable=False),
    sa.Column("channel", sa.String(20), nullable=False),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("language", sa.String(2), nullable=False),
    sa.Column("tier", sa.String(20), nullable=False),
    sa.Column("tier_rule", sa.String(120)),
    sa.Column("safety_category", sa.String(80)),
    sa.Column("level", sa.String(30)),
    sa.Column("at_least", sa.String(30)),
    sa.Column("answers", Sealed(json=True), nullable=False),
    # Why the rules say so: [{"rule", "why", "items"}, ...]; what they did not know.
    sa.Column("reasons", Sealed(json=True), nullable=False),
    sa.Column("unknown", Sealed(json=True), nullable=False),
    sa.Column("rules_version", sa.String(40)),
    sa.Column("relation", sa.String(40)),
    sa.Column("name", Sealed()),
    sa.Column("phone", Sealed()),
    sa.Column("phone_hash", Blind(of="phone", scope="clinic"), index=True),
    sa.Column("phone_owner", sa.String(10)),
    sa.Column("best_time", Sealed()),
    sa.Column("call_from", Moment),
    sa.Column("call_until", Moment),
    sa.Column("time_zone", sa.String(40)),
    sa.Column("ok_to_call", sa.String(10)),
    sa.Column("ok_to_text", sa.String(10)),
    sa.Column("ok_voicemail", sa.String(10)),
    sa.Column("state", sa.String(10)),
    # The wording to which the visitor said yes, and when.
    sa.Column("consent", Sealed()),
    sa.Column("consent_at", Moment),
    # The clinic's date of the latest request: one open request per person and day.
    sa.Column("day", sa.Date),
    # The record that goes on for this one; queues show only rows without it.
    sa.Column("merged_into", sa.String(20)),
    sa.Column("created", Moment, nullable=False),
    sa.Column("updated", Moment, nullable=False),
    # Two conversations of one person at the same moment: the second one updates.
    sa.Index("ix_handoff_person", "clinic", "day", "phone_hash", unique=True),
)

# Which record each conversation leads to: two of the same person lead to the same one.
handoff_conversation = sa.Table(
    "handoff_conversation",
    metadata,
    sa.Column("conversation", sa.String(120), primary_key=True),
    sa.Column(
        "reference",
        sa.ForeignKey("handoff.reference", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
)

# The outbox: what staff are told, one row a target. Nothing of a record but its code.
notification = sa.Table(
    "notification",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    # A hash of what is told to whom: the same thing is told once.
    sa.Column("key", sa.String(64), nullable=False, unique=True),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("clinic", sa.String(80), nullable=False),
    # A reference code, a conversation without one, or a digest's opening.
    sa.Column("subject", sa.String(120), nullable=False),
    sa.Column("channel", sa.String(20), nullable=False),
    sa.Column("target", sa.String(500), nullable=False),
    sa.Column("payload", sa.JSON, nullable=False),
    # 0 goes out before 1.
    sa.Column("rank", sa.Integer, nullable=False),
    sa.Column("created", Moment, nullable=False),
    # None: never tried, so at once.
    sa.Column("due", Moment),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("last_error", sa.Text),
    sa.Column("delivered", Moment, index=True),
    sa.Column("dead", Moment),
    # The worker that has it, and until when.
    sa.Column("held_by", sa.String(200)),
    sa.Column("held_until", Moment),
)

# Which keys have encrypted anything here. `proof` is a text that each key has encrypted:
# a wrong key, or a missing one, is noticed at the start and not by a visitor.
encryption_key = sa.Table(
    "encryption_key",
    metadata,
    sa.Column("id", sa.String(20), primary_key=True),
    sa.Column("proof", Sealed(), nullable=False),
)

# What was done by whom; see bot/store/audit.py. The database refuses to change a row.
audit = sa.Table(
    "audit",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("actor", sa.String(120), nullable=False),
    sa.Column("action", sa.String(80), nullable=False),
    # A reference code or a conversation id.
    sa.Column("subject", sa.String(120), index=True),
    # A JSON object of counts and ids; never words of a visitor.
    sa.Column("details", sa.Text, nullable=False),
    sa.Column("previous", sa.String(64), nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
)

# One row: where the audit ends, signed, so that missing entries at its end are noticed.
audit_head = sa.Table(
    "audit_head",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("seq", sa.Integer, nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
    sa.Column("signature", sa.String(120), nullable=False),
)

# --- the staff console -------------------------------------------------------------

staff = sa.Table(
    "staff",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    # The login name, in small letters; and how colleagues call the person.
    sa.Column("name", sa.String(60), nullable=False, unique=True),
    sa.Column("full_name", sa.String(120), nullable=False),
    sa.Column("role", sa.String(20), nullable=False),
    sa.Column("clinics", sa.JSON, nullable=False),
    sa.Column("password_hash", sa.String(200), nullable=False),
    sa.Column("created", Moment, nullable=False),
    sa.Column("disabled", Moment),
)

staff_session = sa.Table(
    "staff_session",
    metadata,
    # SHA-256 of the cookie's token.
    sa.Column("token_hash", sa.String(64), primary_key=True),
    sa.Column("staff", sa.ForeignKey("staff.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("created", Moment, nullable=False),
    # The last thing the person did; a page that refreshes itself does not count.
    sa.Column("seen", Moment, nullable=False),
)

# Failed logins, counted per login name and per address (SHA-256 of either).
login_failure = sa.Table(
    "login_failure",
    metadata,
    sa.Column("subject", sa.String(64), primary_key=True),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("last", Moment, nullable=False),
)

# Where staff stand with a hand-off record; none before the first of them touches it.
casework = sa.Table(
    "casework",
    metadata,
    sa.Column(
        "reference", sa.ForeignKey("handoff.reference", ondelete="CASCADE"), primary_key=True
    ),
    sa.Column("status", sa.String(20), nullable=False),
    sa.Column("claimed_by", sa.ForeignKey("staff.id")),
    sa.Column("claimed_until", Moment),
    sa.Column("next_try", Moment),
    # When the visitor wrote after staff had begun, and nobody has looked since.
    sa.Column("new_message", Moment),
    sa.Column("first_attempt", Moment),
    sa.Column("disposition", sa.String(40)),
    # Who asked for the second person.
    sa.Column("closing_by", sa.ForeignKey("staff.id")),
    sa.Column("closed", Moment),
)

# What staff did and noted, in order: 1, 2, 3 ... within the record.
casework_entry = sa.Table(
    "casework_entry",
    metadata,
    sa.Column(
        "reference", sa.ForeignKey("handoff.reference", ondelete="CASCADE"), primary_key=True
    ),
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("staff", sa.ForeignKey("staff.id"), nullable=False),
    sa.Column("kind", sa.String(20), nullable=False),
    # The attempt's outcome, the disposition, or the colleague's login name.
    sa.Column("detail", sa.String(60)),
    sa.Column("note", Sealed()),
    sa.Column("at", Moment, nullable=False),
)

# --- texting (SMS) -----------------------------------------------------------------

# A phone number that texts with a clinic. The conversation's id is a keyed hash of both;
# the number itself stands here once, encrypted. No foreign key to conversation: that
# somebody wants no texts is kept when what they wrote is long deleted.
sms_contact = sa.Table(
    "sms_contact",
    metadata,
    sa.Column("conversation", sa.String(120), primary_key=True),
    sa.Column("clinic", sa.String(80), nullable=False),
    sa.Column("number", Sealed(), nullable=False),
    sa.Column("number_hash", Blind(of="number", scope="clinic"), nullable=False, index=True),
    # When it was told who we are.
    sa.Column("introduced", Moment),
    sa.Column("opted_out", Moment),
    # The last danger of an opted-out number that was answered.
    sa.Column("crisis_answered", Moment),
    # Until then a person answers, and the assistant is silent.
    sa.Column("in_charge_until", Moment),
    # Which gateway works off what came from this number, and until when.
    sa.Column("held_by", sa.String(200)),
    sa.Column("held_until", Moment),
    sa.Column("created", Moment, nullable=False),
    sa.Column("updated", Moment, nullable=False),
)

# Texts that came in, committed before they are acknowledged.
sms_inbox = sa.Table(
    "sms_inbox",
    metadata,
    # The order of arrival.
    sa.Column("id", sa.Integer, primary_key=True),
    # The provider's ids of the message and of the delivery attempt: each counts once.
    sa.Column("sid", sa.String(100), nullable=False, unique=True),
    sa.Column("idempotency", sa.String(200), unique=True),
    sa.Column(
        "contact",
        sa.ForeignKey("sms_contact.conversation", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    # None once it is answered: the transcript has it.
    sa.Column("text", Sealed()),
    sa.Column("media", sa.Integer, nullable=False),
    # What the provider did by itself: STOP, START or HELP.
    sa.Column("opt_out_type", sa.String(10)),
    sa.Column("at", Moment, nullable=False),
    sa.Column("done", Moment, index=True),
    info={"row": ("sid",)},
)

# Texts to send, written with what causes them.
sms_outbox = sa.Table(
    "sms_outbox",
    metadata,
    # The order within a number.
    sa.Column("seq", sa.Integer, primary_key=True),
    sa.Column("id", sa.String(40), nullable=False, unique=True),
    # What it answers, and which part of that it is: the same thing is sent once.
    sa.Column("key", sa.String(140), nullable=False, unique=True),
    sa.Column(
        "contact",
        sa.ForeignKey("sms_contact.conversation", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    sa.Column("kind", sa.String(20), nullable=False),
    # None once it is sent: the transcript has it.
    sa.Column("text", Sealed()),
    sa.Column("created", Moment, nullable=False),
    # None: at once.
    sa.Column("due", Moment),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("last_error", sa.Text),
    # The provider's id, and where it says the text is.
    sa.Column("sid", sa.String(100)),
    sa.Column("status", sa.String(30)),
    sa.Column("error_code", sa.String(10)),
    sa.Column("sent", Moment, index=True),
    sa.Column("dead", Moment),
    sa.Column("held_by", sa.String(200)),
    sa.Column("held_until", Moment),
    info={"row": ("id",)},
)

# Who agreed to texts or took it back, in which words, and when.
sms_consent = sa.Table(
    "sms_consent",
    metadata,
    sa.Column(
        "contact",
        sa.ForeignKey("sms_contact.conversation", ondelete="CASCADE"),
        primary_key=True,
    ),
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.String(20), nullable=False),
    # How we know: text, keyword, provider.
    sa.Column("source", sa.String(20), nullable=False),
    sa.Column("wording", Sealed(), nullable=False),
    sa.Column("at", Moment, nullable=False),
)
