"""Encrypts what visitors say, column by column.

To keep something that a visitor typed, or that says who somebody is:

1. In `bot/store/tables.py` give the column the type `Sealed()` (text) or
   `Sealed(json=True)` (anything JSON can hold). To look rows up by its value, add a
   column `Blind(of="phone", scope="clinic")`.
2. In the repository, write `vault_of(connection).seal(table, row)` and read
   `vault_of(connection).open(table, row)`. `row` has the columns that name the row:
   the primary key, or `Table(..., info={"row": (...)})` where the database makes it up.
3. Look up with `table.c.phone_hash.in_(vault.blinds(table.c.phone_hash, e164, clinic))`.

A plain value that goes to a `Sealed` or `Blind` column by mistake is refused.
`handrail keys rotate` finds every such column by its type; there is nothing to register.

AES-256-GCM, a random nonce for every value. Each value is bound to its table, column
and row, so that nobody can move one elsewhere. Look-up is by HMAC-SHA256, so that
the database alone does not tell whether a number is in it. Each purpose has its own
key, derived by HKDF from the key that the operator keeps.
"""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
import hmac
import json
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import structlog
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bot.store.errors import StoreError
from bot.store.keyring import (
    KEY_BYTES,
    Keyring,
    new_keyring,
    read_key_file,
    read_keyring,
    write_key_file,
)

OPTION = "handrail_vault"  # execution option that carries the vault to the repositories
_NONCE_BYTES = 12
_MARK = "."  # between key id and the rest

log = structlog.get_logger("handrail.store")


class Protected(str):
    """What the vault makes of a value; nothing else may go into its columns."""

    __slots__ = ()


class _ProtectedText(sa.types.TypeDecorator):
    """Text that only the vault can have made."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> str | None:
        if value is None:
            return None
        if not isinstance(value, Protected):
            raise ValueError("a plain value for an encrypted column: use Vault.seal")
        return str(value)

    def process_result_value(self, value: str | None, dialect: Any) -> Protected | None:
        return None if value is None else Protected(value)


class Sealed(_ProtectedText):
    """An encrypted column.

    Args:
        json: the plain value is anything that JSON can hold; otherwise it is text.
    """

    cache_ok = True

    def __init__(self, json: bool = False):
        super().__init__()
        self.json = json


class Blind(_ProtectedText):
    """A column by which rows are found: the keyed hash of an encrypted one.

    Args:
        of: name of the encrypted column in the same table.
        scope: name of a plain column whose value is hashed too, such as "clinic":
            the same phone number at two clinics then has two hashes.
    """

    cache_ok = True

    def __init__(self, of: str, scope: str):
        super().__init__()
        self.of = of
        self.scope = scope


class Vault:
    """Encrypts, decrypts and hashes; safe to share between threads.

    Made by `Vault.of_settings`, or with `keyring` alone. The key file is read again when
    it has changed, so that a running process follows `handrail keys rotate`.

    Args:
        keyring: the keys; None: they are in `file`.
        file: the key file, which need not exist yet, see `make_key_file`.
    """

    def __init__(self, keyring: Keyring | None, file: Path | None = None):
        self.file = file
        self._lock = threading.Lock()
        self._stamp: tuple[int, ...] | None = None
        self._keyring = keyring

    @classmethod
    def of_settings(cls, keys: str | None, file: Path) -> Vault:
        """The vault of an installation.

        Args:
            keys: the setting HANDRAIL_KEYS; the file is used if it is None.
            file: the key file.

        Raises:
            StoreError: HANDRAIL_KEYS is not usable.
        """
        if keys is not None:
            return cls(read_keyring(keys, "HANDRAIL_KEYS"))
        return cls(None, file)

    @property
    def keyring(self) -> Keyring | None:
        """The present keys; None before the key file is made. Raises StoreError."""
        if self.file is not None:
            self._follow(self.file)
        return self._keyring

    def make_key_file(self) -> None:
        """Make the key file with one new key; only for a database without encrypted rows."""
        if self.file is None:
            raise StoreError("the keys are in HANDRAIL_KEYS; no key file is used")
        write_key_file(self.file, new_keyring())

    # --- values ---------------------------------------------------------------------------

    def seal(self, table: sa.Table, row: Mapping[str, Any]) -> dict[str, Any]:
        """The row as the database keeps it, its blind hashes filled in.

        Args:
            table: where it goes.
            row: plain values; with the columns that name the row.

        Raises:
            StoreError: there are no usable keys.
        """
        ring = self._ring()
        sealed, blinds = _protected(table)
        values = dict(row)
        for column in blinds:
            kind: Blind = column.type
            if kind.of in row:
                plain = row[kind.of]
                scope = row[kind.scope]
                values[column.name] = (
                    None if plain is None else _blind(ring, ring.active, column, plain, scope)
                )
        place = None
        for name, is_json in sealed:
            plain = row.get(name)
            if plain is None:
                continue
            place = place or _place(table, row)
            text = json.dumps(plain, ensure_ascii=False) if is_json else plain
            values[name] = self._encrypt(ring, f"{table.name}.{name}.{place}", text)
        return values

    def open(self, table: sa.Table, row: Mapping[str, Any]) -> dict[str, Any]:
        """The plain values of a row of the database.

        Args:
            table: where it comes from.
            row: its columns, those that name the row among them.

        Raises:
            StoreError: a value was encrypted with a key that is not here, or is altered.
        """
        values = dict(row)
        place = None
        for name, is_json in _protected(table)[0]:
            stored = values.get(name)
            if stored is None:
                continue
            place = place or _place(table, row)
            text = self._decrypt(f"{table.name}.{name}.{place}", stored)
            values[name] = json.loads(text) if is_json else text
        return values

    def seal_text(self, place: str, plain: str) -> Protected:
        """Encrypt one text that belongs to `place`, "table.column.row"; see `seal`."""
        return self._encrypt(self._ring(), place, plain)

    def open_text(self, place: str, stored: str) -> str:
        """Decrypt what `seal_text` made for the same place."""
        return self._decrypt(place, stored)

    def is_current(self, stored: str) -> bool:
        """Whether `stored` was encrypted with the active key."""
        return key_of(stored) == self._ring().active

    def blind(self, column: sa.Column[Any], plain: str, scope: str) -> Protected:
        """The hash that a new row gets in the `Blind` column `column`."""
        ring = self._ring()
        return _blind(ring, ring.active, column, plain, scope)

    def blinds(self, column: sa.Column[Any], plain: str, scope: str) -> list[Protected]:
        """Every hash that a row with this value may have, one for each key."""
        ring = self._ring()
        return [_blind(ring, identity, column, plain, scope) for identity in ring.keys]

    def sign(self, purpose: str, message: str) -> str:
        """A keyed signature of `message` with the active key."""
        ring = self._ring()
        return _signed(ring, ring.active, purpose, message)

    def is_signed(self, purpose: str, message: str, signature: str) -> bool:
        """Whether `signature` is of this message; raises StoreError if its key is not here."""
        identity = key_of(signature)
        ring = self._ring_with(identity)
        return hmac.compare_digest(_signed(ring, identity, purpose, message), signature)

    # --- inside ---------------------------------------------------------------------------

    def _ring(self) -> Keyring:
        ring = self.keyring
        if ring is None:
            raise StoreError(
                f"there is no key file {self.file}: `handrail serve` makes it at its first start; "
                "if it was there before, restore it from your backup"
            )
        return ring

    def _ring_with(self, identity: str) -> Keyring:
        if self._keyring is not None and identity in self._keyring.keys:
            return self._keyring
        ring = self._ring()
        if identity not in ring.keys:
            where = self.file or "HANDRAIL_KEYS"
            raise StoreError(
                f"the database was encrypted with key {identity[:20]}, which is not in {where}: "
                "add that key again, from your backup"
            )
        return ring

    def _encrypt(self, ring: Keyring, place: str, plain: str) -> Protected:
        nonce = os.urandom(_NONCE_BYTES)
        box = _box(ring.keys[ring.active])
        sealed = nonce + box.encrypt(nonce, plain.encode("utf-8", "surrogatepass"), place.encode())
        return Protected(f"{ring.active}{_MARK}{base64.b64encode(sealed).decode()}")

    def _decrypt(self, place: str, stored: str) -> str:
        identity, _, encoded = stored.partition(_MARK)
        ring = self._ring_with(identity)
        try:
            sealed = binascii.a2b_base64(encoded)
            plain = _box(ring.keys[identity]).decrypt(
                sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], place.encode()
            )
        except (InvalidTag, ValueError):
            raise StoreError(
                f"{place} cannot be decrypted with key {identity}: the key or the row is not the "
                "one that was written; restore key file and database from the same backup"
            ) from None
        return plain.decode("utf-8", "surrogatepass")

    def _follow(self, file: Path) -> None:
        """Read the file again if it is not the one that was read last."""
        try:
            found = file.stat()
            stamp: tuple[int, ...] | None = (found.st_ino, found.st_mtime_ns, found.st_ctime_ns)
        except FileNotFoundError:
            stamp = None
        if stamp == self._stamp:
            return
        with self._lock:
            if stamp == self._stamp:
                return
            try:
                read = read_key_file(file)
            except StoreError as error:
                if self._keyring is None:
                    raise
                problem = str(error)
            else:
                problem = f"the key file {file} is gone: restore it"
                if read is not None:
                    self._keyring, problem = read, ""
            if problem:
                # The keys in memory are right; a visitor must not suffer, an operator act.
                log.error("the key file cannot be used any more", reason=problem)
            self._stamp = stamp


def vault_of(connection: sa.engine.Connection | sa.engine.Engine) -> Vault:
    """The vault that goes with this connection or engine, see `bot.store.open_engine`."""
    vault = connection.get_execution_options()[OPTION]
    assert isinstance(vault, Vault)
    return vault


def key_of(stored: str) -> str:
    """Id of the key with which a stored value was encrypted, hashed or signed."""
    return stored.partition(_MARK)[0]


def protected_columns(table: sa.Table) -> list[sa.Column[Any]]:
    """The encrypted and the hashed columns of `table`."""
    return [column for column in table.columns if isinstance(column.type, _ProtectedText)]


@functools.cache
def row_columns(table: sa.Table) -> tuple[str, ...]:
    """Names of the columns that name a row of `table`."""
    named: tuple[str, ...] = table.info.get("row") or tuple(c.name for c in table.primary_key)
    return named


@functools.cache
def _protected(table: sa.Table) -> tuple[list[tuple[str, bool]], list[sa.Column[Any]]]:
    sealed = [(c.name, c.type.json) for c in table.columns if isinstance(c.type, Sealed)]
    return sealed, [c for c in table.columns if isinstance(c.type, Blind)]


def _place(table: sa.Table, row: Mapping[str, Any]) -> str:
    return "/".join(str(row[name]) for name in row_columns(table))


def _blind(
    ring: Keyring, identity: str, column: sa.Column[Any], plain: str, scope: str
) -> Protected:
    message = json.dumps([scope, plain])
    return Protected(_signed(ring, identity, f"blind {column.table.name}.{column.name}", message))


def _signed(ring: Keyring, identity: str, purpose: str, message: str) -> str:
    key = _derived(ring.keys[identity], f"handrail {purpose}")
    digest = hmac.new(key, message.encode("utf-8", "surrogatepass"), hashlib.sha256)
    return f"{identity}{_MARK}{digest.hexdigest()}"


@functools.lru_cache(maxsize=100)
def _box(key: bytes) -> AESGCM:
    return AESGCM(_derived(key, "handrail encryption"))


@functools.lru_cache(maxsize=100)
def _derived(key: bytes, purpose: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=purpose.encode()).derive(key)
