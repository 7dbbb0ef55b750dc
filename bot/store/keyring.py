"""The keys that encrypt what visitors say: from the environment, or a file of our own.

Both are written the same way, `id:key` with a key of 32 bytes in base64, separated
by white space or commas; the first key is active and encrypts, the others only read:

    HANDRAIL_KEYS="2027a:mZk...=,2026a:Q0d...="
"""

from __future__ import annotations

import base64
import dataclasses
import os
import re
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path

from bot.store.errors import StoreError

KEY_BYTES = 32
_ID = re.compile(r"[A-Za-z0-9_-]{1,20}")
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclasses.dataclass(frozen=True)
class Keyring:
    """Keys by id.

    Attributes:
        active: id of the key that encrypts.
        keys: every key, the active one first; 32 bytes each.
    """

    active: str
    keys: Mapping[str, bytes] = dataclasses.field(repr=False)

    def with_new_key(self) -> Keyring:
        """The same keys behind a new one, which is active."""
        new = new_keyring()
        return Keyring(new.active, {**new.keys, **self.keys})

    def written(self, separator: str = ",") -> str:
        """The keys as `read_keyring` reads them."""
        return separator.join(
            f"{identity}:{base64.b64encode(key).decode()}" for identity, key in self.keys.items()
        )


def new_keyring() -> Keyring:
    """One new random key under a new random id."""
    identity = f"k{secrets.token_hex(4)}"
    return Keyring(identity, {identity: secrets.token_bytes(KEY_BYTES)})


def read_keyring(written: str, where: str) -> Keyring:
    """Keys from text; raises StoreError that names `where` and never shows a key."""
    keys: dict[str, bytes] = {}
    for number, entry in enumerate(re.split(r"[\s,]+", written.strip()), start=1):
        identity, _, encoded = entry.partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except ValueError:
            key = b""
        if not _ID.fullmatch(identity) or len(key) != KEY_BYTES:
            raise StoreError(
                f"{where}: key number {number} is not written as id:key, with an id of letters, "
                "digits, - and _ and 32 bytes in base64; restore it from your backup"
            )
        if identity in keys:
            raise StoreError(f"{where}: two keys have the id {identity}; rename or remove one")
        keys[identity] = key
    return Keyring(next(iter(keys)), keys)


def read_key_file(path: Path) -> Keyring | None:
    """The keys of a file, None if there is none.

    Raises:
        StoreError: others may read the file, or it is broken; the message names the fix.
    """
    try:
        with path.open(encoding="ascii") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & _OTHERS:
                raise StoreError(f"other users may read {path}: run `chmod 600 {path}`")
            return read_keyring(file.read(), str(path))
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise StoreError(
            f"the key file {path} cannot be read ({type(error).__name__}); "
            "restore it from your backup"
        ) from error


def write_key_file(path: Path, keyring: Keyring) -> None:
    """Put `keyring` into the file, at once and for its owner alone.

    A crash leaves the old file or the new one, never half of one.

    Raises:
        StoreError: the file cannot be written.
    """
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(keyring.written("\n") + "\n")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise StoreError(
            f"the key file {path} cannot be written ({type(error).__name__}): "
            "check that this user may write there and that the disk has space"
        ) from error
