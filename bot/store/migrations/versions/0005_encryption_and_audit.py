"""Encrypts what visitors said, and begins the audit.

Rows that are there already are encrypted with the active key; `bot.store.migrate` sees
to it that there is one. Going back decrypts them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from alembic import op

from bot.store.vault import vault_of

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
CONTACT = ("name", "phone", "best_time", "consent")
ANSWERS = ("answers", "reasons", "unknown")
# table: columns that name the row, columns to encrypt
ENCRYPTED = {
    "message": (("conversation", "seq"), ("text",)),
    "button": (("id",), ("label", "entities")),
    "tracker_event": (("conversation", "seq"), ("event",)),
    "handoff": (("reference",), (*ANSWERS, *CONTACT)),
}
NO_CHANGE_SQLITE = """
CREATE TRIGGER {table}_no_{event} BEFORE {event} ON {table}
BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END
"""
NO_CHANGE_FUNCTION = """
CREATE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the audit is append-only'; END $$
"""
NO_CHANGE_POSTGRESQL = """
CREATE TRIGGER {table}_append_only BEFORE {events} ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()
"""


def upgrade() -> None:
    op.drop_index("ix_handoff_person", "handoff")
    with op.batch_alter_table("button") as batch:
        _change_type(batch, "entities", to=sa.Text)
    with _followed_conversations_kept(), op.batch_alter_table("handoff") as batch:
        for name in ANSWERS:
            _change_type(batch, name, to=sa.Text)
        batch.add_column(sa.Column("phone_hash", sa.Text))
    vault = vault_of(op.get_bind())
    _convert(vault.seal_text)
    _fill_phone_hashes()
    op.create_index("ix_handoff_phone_hash", "handoff", ["phone_hash"])
    op.create_index("ix_handoff_person", "handoff", ["clinic", "day", "phone_hash"], unique=True)

    op.create_table(
        "encryption_key",
        sa.Column("id", sa.String(20), nullable=False),
        sa.Column("proof", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_encryption_key"),
    )
    op.create_table(
        "audit",
        sa.Column("seq", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("actor", sa.String(120), nullable=False),
        sa.Column("action", sa.String(80), nullable=False),
        sa.Column("subject", sa.String(120)),
        sa.Column("details", sa.Text, nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_audit"),
    )
    op.create_index("ix_audit_subject", "audit", ["subject"])
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("signature", sa.String(120), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_head"),
    )
    if op.get_bind().dialect.name == "sqlite":
        for table, event in (("audit", "UPDATE"), ("audit", "DELETE"), ("audit_head", "DELETE")):
            op.execute(NO_CHANGE_SQLITE.format(table=table, event=event))
    else:
        op.execute(NO_CHANGE_FUNCTION)
        for table, events in (
            ("audit", "UPDATE OR DELETE OR TRUNCATE"),
            ("audit_head", "DELETE OR TRUNCATE"),
        ):
            op.execute(NO_CHANGE_POSTGRESQL.format(table=table, events=events))


def downgrade() -> None:
    for table in ("audit_head", "audit", "encryption_key"):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_append_only()")
    op.drop_index("ix_handoff_phone_hash", "handoff")
    op.drop_index("ix_handoff_person", "handoff")
    _convert(vault_of(op.get_bind()).open_text)
    with _followed_conversations_kept(), op.batch_alter_table("handoff") as batch:
        batch.drop_column("phone_hash")
        for name in ANSWERS:
            _change_type(batch, name, to=sa.JSON)
    with op.batch_alter_table("button") as batch:
        _change_type(batch, "entities", to=sa.JSON)
    op.create_index("ix_handoff_person", "handoff", ["clinic", "day", "phone"], unique=True)


def _change_type(batch: Any, column: str, *, to: type[sa.types.TypeEngine]) -> None:
    kind = "text" if to is sa.Text else "json"
    batch.alter_column(
        column,
        type_=to,
        existing_nullable=False,
        server_default=None,
        postgresql_using=f"{column}::{kind}",
    )


@contextmanager
def _followed_conversations_kept() -> Iterator[None]:
    """SQLite changes a table by putting a copy in its place, which empties what refers to it."""
    connection = op.get_bind()
    followed = sa.table("handoff_conversation", sa.column("conversation"), sa.column("reference"))
    rows = [dict(row) for row in connection.execute(sa.select(followed)).mappings()]
    yield
    if rows and not connection.execute(sa.select(followed)).first():
        connection.execute(sa.insert(followed), rows)


def _convert(convert: Callable[[str, str], str]) -> None:
    connection = op.get_bind()
    for name, (row_columns, encrypted) in ENCRYPTED.items():
        table = sa.table(name, *(sa.column(column) for column in (*row_columns, *encrypted)))
        for row in connection.execute(sa.select(table)).mappings().all():
            place = "/".join(str(row[column]) for column in row_columns)
            changed = {
                column: str(convert(f"{name}.{column}.{place}", row[column]))
                for column in encrypted
                if row[column] is not None
            }
            which = [table.c[column] == row[column] for column in row_columns]
            connection.execute(sa.update(table).where(*which).values(changed))


def _fill_phone_hashes() -> None:
    connection = op.get_bind()
    vault = vault_of(connection)
    columns = ("reference", "clinic", "phone", "phone_hash")
    handoff = sa.table("handoff", *(sa.column(column) for column in columns))
    for row in connection.execute(sa.select(handoff)).mappings().all():
        if row["phone"] is not None:
            phone = vault.open_text(f"handoff.phone.{row['reference']}", row["phone"])
            connection.execute(
                sa.update(handoff)
                .where(handoff.c.reference == row["reference"])
                .values(phone_hash=str(vault.blind(handoff.c.phone_hash, phone, row["clinic"])))
            )
