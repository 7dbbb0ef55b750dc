"""Texting: the numbers, what came in, what goes out, and who agreed to it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "sms_contact",
        sa.Column("conversation", sa.String(120), nullable=False),
        sa.Column("clinic", sa.String(80), nullable=False),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("number_hash", sa.Text, nullable=False),
        sa.Column("introduced", MOMENT),
        sa.Column("opted_out", MOMENT),
        sa.Column("crisis_answered", MOMENT),
        sa.Column("in_charge_until", MOMENT),
        sa.Column("created", MOMENT, nullable=False),
        sa.Column("updated", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("conversation", name="pk_sms_contact"),
    )
    op.create_index("ix_sms_contact_number_hash", "sms_contact", ["number_hash"])
    op.create_table(
        "sms_inbox",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("sid", sa.String(100), nullable=False),
        sa.Column("idempotency", sa.String(200)),
        sa.Column("contact", sa.String(120), nullable=False),
        sa.Column("text", sa.Text),
        sa.Column("media", sa.Integer, nullable=False),
        sa.Column("opt_out_type", sa.String(10)),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("done", MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_sms_inbox"),
        sa.UniqueConstraint("sid", name="uq_sms_inbox_sid"),
        sa.UniqueConstraint("idempotency", name="uq_sms_inbox_idempotency"),
        _contact_key("sms_inbox"),
    )
    op.create_index("ix_sms_inbox_contact", "sms_inbox", ["contact"])
    op.create_index("ix_sms_inbox_done", "sms_inbox", ["done"])
    op.create_table(
        "sms_outbox",
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("key", sa.String(140), nullable=False),
        sa.Column("contact", sa.String(120), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("text", sa.Text),
        sa.Column("created", MOMENT, nullable=False),
        sa.Column("due", MOMENT),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("last_error", sa.Text),
        sa.Column("sid", sa.String(100)),
        sa.Column("status", sa.String(30)),
        sa.Column("error_code", sa.String(10)),
        sa.Column("sent", MOMENT),
        sa.Column("dead", MOMENT),
        sa.Column("held_by", sa.String(200)),
        sa.Column("held_until", MOMENT),
        sa.PrimaryKeyConstraint("seq", name="pk_sms_outbox"),
        sa.UniqueConstraint("id", name="uq_sms_outbox_id"),
        sa.UniqueConstraint("key", name="uq_sms_outbox_key"),
        _contact_key("sms_outbox"),
    )
    op.create_index("ix_sms_outbox_contact", "sms_outbox", ["contact"])
    op.create_index("ix_sms_outbox_sent", "sms_outbox", ["sent"])
    op.create_table(
        "sms_consent",
        sa.Column("contact", sa.String(120), nullable=False),
        sa.Column("seq", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("source", sa.String(20), nullable=False),
        sa.Column("wording", sa.Text, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("contact", "seq", name="pk_sms_consent"),
        _contact_key("sms_consent"),
    )


def downgrade() -> None:
    for table in ("sms_consent", "sms_outbox", "sms_inbox", "sms_contact"):
        op.drop_table(table)


def _contact_key(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["contact"],
        ["sms_contact.conversation"],
        name=f"fk_{table}_contact",
        ondelete="CASCADE",
    )
