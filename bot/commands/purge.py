"""`handrail purge`: delete what has been kept long enough."""

from __future__ import annotations

from datetime import datetime

from bot.settings import Settings
from bot.store import check, open_store
from bot.store.purge import due_before, load_retention, purge


def purge_store(settings: Settings, now: datetime, *, dry_run: bool) -> int:
    """Delete what is due, or say what would be; prints counts and no words."""
    policy = load_retention(settings.retention)
    engine = open_store(settings)
    check(engine)
    counts = purge(engine, policy, now, dry_run=dry_run)
    moments = due_before(policy, now)
    for name, count in counts.items():
        verb = "would be deleted" if dry_run else "deleted"
        print(f"{name}: {count} {verb} (unchanged since {moments[name]:%Y-%m-%d %H:%M} UTC)")
    return 0
