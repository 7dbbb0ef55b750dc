"""The staff console: staff, their sessions, and what they did with hand-off records."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "staff",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("full_name", sa.String(120), nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("clinics", sa.JSON, nullable=False),
        sa.Column("password_hash", sa.String(200), nullable=False),
        sa.Column("created", MOMENT, nullable=False),
        sa.Column("disabled", MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_staff"),
        sa.UniqueConstraint("name", name="uq_staff_name"),
    )
    op.create_table(
        "staff_session",
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("staff", sa.Integer, nullable=False),
        sa.Column("created", MOMENT, nullable=False),
        sa.Column("seen", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name="pk_staff_session"),
        sa.ForeignKeyConstraint(
            ["staff"], ["staff.id"], name="fk_staff_session_staff", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_staff_session_staff", "staff_session", ["staff"])
    op.create_table(
        "login_failure",
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("last", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("subject", name="pk_login_failure"),
    )
    op.create_table(
        "casework",
        sa.Column("reference", sa.String(20), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("claimed_by", sa.Integer),
        sa.Column("claimed_until", MOMENT),
        sa.Column("next_try", MOMENT),
        sa.Column("new_message", MOMENT),
        sa.Column("first_attempt", MOMENT),
        sa.Column("disposition", sa.String(40)),
        sa.Column("closing_by", sa.Integer),
        sa.Column("closed", MOMENT),
        sa.PrimaryKeyConstraint("reference", name="pk_casework"),
        sa.ForeignKeyConstraint(
            ["reference"],
            ["handoff.reference"],
            name="fk_casework_reference",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["claimed_by"], ["staff.id"], name="fk_casework_claimed_by"),
        sa.ForeignKeyConstraint(["closing_by"], ["staff.id"], name="fk_casework_closing_by"),
    )
    op.create_table(
        "casework_entry",
        sa.Column("reference", sa.String(20), nullable=False),
        sa.Column("seq", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("staff", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("detail", sa.String(60)),
        sa.Column("note", sa.Text),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("reference", "seq", name="pk_casework_entry"),
        sa.ForeignKeyConstraint(
            ["reference"],
            ["handoff.reference"],
            name="fk_casework_entry_reference",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["staff"], ["staff.id"], name="fk_casework_entry_staff"),
    )


def downgrade() -> None:
    for table in ("casework_entry", "casework", "login_failure", "staff_session", "staff"):
        op.drop_table(table)
