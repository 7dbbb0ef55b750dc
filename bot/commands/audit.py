"""`handrail audit verify`: is the audit as it was written?"""

from __future__ import annotations

import sys

from bot.settings import Settings
from bot.store import Audit, check, open_store, reading
from bot.store.audit import verify


def verify_audit(settings: Settings) -> int:
    """Print how many entries are unbroken (0), or where the chain breaks (1)."""
    engine = open_store(settings)
    check(engine)
    with reading(engine) as connection:
        broken = verify(connection)
        count = Audit(connection).count()
        last = Audit(connection).last_hash()
    if broken is not None:
        print(
            f"the audit is broken at entry {broken} of {count}: it, or what should follow, is not "
            "as it was written",
            file=sys.stderr,
        )
        return 1
    print(f"{count} entries, unbroken; the last hash is {last}")
    return 0
