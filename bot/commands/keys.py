"""`handrail keys rotate` and `handrail keys list`."""

from __future__ import annotations

from datetime import datetime

from bot.settings import Settings
from bot.store import StoreError, Vault, check, open_store, reading
from bot.store.keyring import Keyring, write_key_file
from bot.store.keys_in_use import active_is_known, used
from bot.store.rotate import is_finished, rotate, rows_by_key


def list_keys(settings: Settings) -> int:
    """Print each key's id and how many values it has encrypted; never a key."""
    engine = open_store(settings)
    check(engine)
    ring = _keyring(settings)
    with reading(engine) as connection:
        counted = rows_by_key(connection)
        needed = set(used(connection)) | {ring.active}
    print(f"keys are in {'HANDRAIL_KEYS' if settings.keys is not None else settings.key_file}")
    for identity in ring.keys:
        role = "active" if identity == ring.active else "reads only"
        spare = "" if identity in needed or counted[identity] else ", may be removed"
        print(f"{identity}: {role}, {counted[identity]} values{spare}")
    return 0


def rotate_keys(settings: Settings, now: datetime) -> int:
    """Add a key and encrypt everything with it; an interrupted rotation goes on."""
    engine = open_store(settings)
    check(engine)
    ring = _keyring(settings)
    with reading(engine) as connection:
        finished, known = is_finished(connection), active_is_known(connection)
    if settings.keys is not None:
        if not known:
            print(
                f"No running Handrail has used the active key {ring.active} yet. Restart "
                "`handrail serve` with this HANDRAIL_KEYS, then run `handrail keys rotate` again."
            )
            return 1
        if finished:
            print(
                "Everything is encrypted with the active key. To change to a new one:\n"
                "1. Set HANDRAIL_KEYS, here and where `handrail serve` runs, to\n"
                f"   {ring.with_new_key().written()}\n"
                "2. Restart `handrail serve`.\n"
                "3. Run `handrail keys rotate` again: it encrypts everything with the new key.\n"
                "Keep a copy of the keys apart from the backups of the database."
            )
            return 0
    elif finished:
        ring = ring.with_new_key()
        write_key_file(settings.key_file, ring)
        print(f"new key {ring.active} in {settings.key_file}; a running Handrail uses it at once")
    rows = rotate(engine, now, say=lambda line: print(line, flush=True))
    print(f"{rows} rows encrypted anew; everything is encrypted with {ring.active}")
    where = "HANDRAIL_KEYS" if settings.keys is not None else "the key file"
    print(
        f"Back up the keys now. The earlier keys may be removed from {where} once no backup "
        "is kept that needs them."
    )
    return 0


def _keyring(settings: Settings) -> Keyring:
    ring = Vault.of_settings(settings.keys, settings.key_file).keyring
    if ring is None:
        raise StoreError(f"there is no key file {settings.key_file}; run `handrail serve` first")
    return ring
