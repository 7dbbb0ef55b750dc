"""The first tables: conversations, messages, buttons, tracker events, alerts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "conversation",
        sa.Column("id", sa.String(120), nullable=False),
        sa.Column("clinic", sa.String(80), nullable=False),
        sa.Column("channel", sa.String(20), nullable=False),
        sa.Column("token_hash", sa.String(64)),
        sa.Column("chosen_language", sa.String(2)),
        sa.Column("created", MOMENT, nullable=False),
        sa.Column("updated", MOMENT, nullable=False),
        sa.Column("tier", sa.String(20), nullable=False),
        sa.Column("level", sa.String(30)),
        sa.Column("handoff", sa.String(20), nullable=False),
        sa.Column("open_question", sa.String(40)),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("reference", sa.String(20)),
        sa.PrimaryKeyConstraint("id", name="pk_conversation"),
    )
    op.create_table(
        "message",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("conversation", sa.String(120), nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("direction", sa.String(3), nullable=False),
        sa.Column("client_message_id", sa.String(120)),
        sa.Column("answers", sa.Integer),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("response", sa.String(80)),
        sa.Column("tier", sa.String(20)),
        sa.Column("categories", sa.JSON),
        sa.Column("evidence", sa.JSON),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_message"),
        sa.ForeignKeyConstraint(
            ["conversation"],
            ["conversation.id"],
            name="fk_message_conversation",
            ondelete="CASCADE",
        ),
        sa.UniqueConstraint("conversation", "seq", name="uq_message_conversation_seq"),
        sa.UniqueConstraint(
            "conversation",
            "client_message_id",
            name="uq_message_conversation_client_message_id",
        ),
        sa.CheckConstraint("direction IN ('in', 'out')", name="ck_message_direction"),
    )
    op.create_table(
        "button",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("conversation", sa.String(120), nullable=False),
        sa.Column("message_seq", sa.Integer, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("intent", sa.String(80), nullable=False),
        sa.Column("entities", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_button"),
        sa.ForeignKeyConstraint(
            ["conversation"],
            ["conversation.id"],
            name="fk_button_conversation",
            ondelete="CASCADE",
        ),
        sa.UniqueConstraint(
            "conversation",
            "message_seq",
            "position",
            name="uq_button_conversation_message_seq_position",
        ),
    )
    op.create_table(
        "tracker_event",
        sa.Column("conversation", sa.String(120), nullable=False),
        sa.Column("seq", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("event", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("conversation", "seq", name="pk_tracker_event"),
    )
    op.create_table(
        "alert",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("conversation", sa.String(120), nullable=False),
        sa.Column("message_seq", sa.Integer, nullable=False),
        sa.Column("tier", sa.String(20), nullable=False),
        sa.Column("categories", sa.JSON, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_alert"),
        sa.ForeignKeyConstraint(
            ["conversation"],
            ["conversation.id"],
            name="fk_alert_conversation",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_alert_conversation", "alert", ["conversation"])


def downgrade() -> None:
    for table in ("alert", "tracker_event", "button", "message", "conversation"):
        op.drop_table(table)
