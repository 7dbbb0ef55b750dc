"""The one database: tables, migrations, and small repositories over them.

SQLite by default, PostgreSQL by URL; the same code, migrations and tests for
both. Open it with `open_engine`, bring it up to date with `migrate`, work inside
`reading(engine)` or `writing(engine)`, which give the connection that the
repositories take. Every failure is a `StoreError` that names the fix.
"""

from bot.store.engine import open_engine, reading, writing
from bot.store.errors import Conflict, StoreError
from bot.store.migrate import check, migrate
from bot.store.repositories import Alerts, Buttons, Conversations, Messages
from bot.store.tracker_events import TrackerEvents

__all__ = [
    "Alerts",
    "Buttons",
    "Conflict",
    "Conversations",
    "Messages",
    "StoreError",
    "TrackerEvents",
    "check",
    "migrate",
    "open_engine",
    "reading",
    "writing",
]
