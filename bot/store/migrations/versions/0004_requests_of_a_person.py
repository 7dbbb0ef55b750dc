"""Hand-offs: the whole callback form, why the rules say so, one request per person and day."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
COLUMNS = (
    sa.Column("safety_category", sa.String(80)),
    sa.Column("reasons", sa.JSON, nullable=False, server_default="[]"),
    sa.Column("unknown", sa.JSON, nullable=False, server_default="[]"),
    sa.Column("rules_version", sa.String(40)),
    sa.Column("relation", sa.String(40)),
    sa.Column("phone_owner", sa.String(10)),
    sa.Column("call_from", MOMENT),
    sa.Column("call_until", MOMENT),
    sa.Column("time_zone", sa.String(40)),
    sa.Column("ok_to_call", sa.String(10)),
    sa.Column("ok_to_text", sa.String(10)),
    sa.Column("state", sa.String(10)),
    sa.Column("consent_at", MOMENT),
    sa.Column("day", sa.Date),
    sa.Column("merged_into", sa.String(20)),
)


def upgrade() -> None:
    for column in COLUMNS:
        op.add_column("handoff", column.copy())
    op.create_index("ix_handoff_person", "handoff", ["clinic", "day", "phone"], unique=True)
    op.create_table(
        "handoff_conversation",
        sa.Column("conversation", sa.String(120), nullable=False),
        sa.Column("reference", sa.String(20), nullable=False),
        sa.PrimaryKeyConstraint("conversation", name="pk_handoff_conversation"),
        sa.ForeignKeyConstraint(
            ["reference"],
            ["handoff.reference"],
            name="fk_handoff_conversation_reference",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_handoff_conversation_reference", "handoff_conversation", ["reference"])
    op.execute(
        "INSERT INTO handoff_conversation (conversation, reference) "
        "SELECT conversation, reference FROM handoff"
    )


def downgrade() -> None:
    op.drop_table("handoff_conversation")
    op.drop_index("ix_handoff_person", "handoff")
    with op.batch_alter_table("handoff") as table:
        for column in reversed(COLUMNS):
            table.drop_column(column.name)
