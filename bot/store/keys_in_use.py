"""Whether the keys at hand are those of this database, asked before anybody needs them."""

from __future__ import annotations

import sqlalchemy as sa

from bot.store.tables import encryption_key
from bot.store.vault import vault_of

_PROOF = "encrypted with this key"


def make_key_file_if_new(connection: sa.engine.Connection) -> None:
    """Make the key file, unless there are keys or this database has used some.

    Call it in the transaction that holds the migration lock, so that two processes
    that start at once do not make two.
    """
    vault = vault_of(connection)
    if vault.keyring is not None:
        return
    if sa.inspect(connection).has_table(encryption_key.name) and _rows(connection):
        return  # `prove` says which key is missing
    vault.make_key_file()


def prove(connection: sa.engine.Connection) -> None:
    """Raise StoreError if a key that this database has used is missing or another one."""
    vault = vault_of(connection)
    for identity, proof in _rows(connection).items():
        vault.open(encryption_key, {"id": identity, "proof": proof})


def active_is_known(connection: sa.engine.Connection) -> bool:
    """Whether the active key is written down as one that this database uses."""
    ring = vault_of(connection).keyring
    return ring is not None and ring.active in _rows(connection)


def remember_active(connection: sa.engine.Connection) -> None:
    """Write down that this database uses the active key."""
    ring = vault_of(connection).keyring
    if ring is not None and not active_is_known(connection):
        row = vault_of(connection).seal(encryption_key, {"id": ring.active, "proof": _PROOF})
        connection.execute(sa.insert(encryption_key).values(row))


def forget(connection: sa.engine.Connection, identity: str) -> None:
    """Nothing is encrypted with this key any more."""
    connection.execute(sa.delete(encryption_key).where(encryption_key.c.id == identity))


def used(connection: sa.engine.Connection) -> list[str]:
    """Ids of the keys that this database uses."""
    return sorted(_rows(connection))


def _rows(connection: sa.engine.Connection) -> dict[str, str]:
    return {row.id: row.proof for row in connection.execute(sa.select(encryption_key))}
