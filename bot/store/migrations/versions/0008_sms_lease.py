"""Texting: one gateway at a time works off what came from a number."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sms_contact", sa.Column("held_by", sa.String(200)))
    op.add_column("sms_contact", sa.Column("held_until", sa.DateTime(timezone=True)))


def downgrade() -> None:
    with op.batch_alter_table("sms_contact") as table:
        table.drop_column("held_until")
        table.drop_column("held_by")
