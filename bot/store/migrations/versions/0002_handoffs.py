"""Hand-off records: what staff find under a reference code."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "handoff",
        sa.Column("reference", sa.String(20), nullable=False),
        sa.Column("conversation", sa.String(120), nullable=False),
        sa.Column("clinic", sa.String(80), nullable=False),
        sa.Column("channel", sa.String(20), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("tier", sa.String(20), nullable=False),
        sa.Column("tier_rule", sa.String(120)),
        sa.Column("level", sa.String(30)),
        sa.Column("at_least", sa.String(30)),
        sa.Column("answers", sa.JSON, nullable=False),
        sa.Column("name", sa.Text),
        sa.Column("phone", sa.Text),
        sa.Column("best_time", sa.Text),
        sa.Column("ok_voicemail", sa.String(10)),
        sa.Column("consent", sa.Text),
        sa.Column("created", MOMENT, nullable=False),
        sa.Column("updated", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("reference", name="pk_handoff"),
        sa.UniqueConstraint("conversation", name="uq_handoff_conversation"),
    )


def downgrade() -> None:
    op.drop_table("handoff")
