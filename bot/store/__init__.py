"""The one database: tables, migrations, and small repositories over them.

SQLite by default, PostgreSQL by URL; the same code, migrations and tests for
both. Open it with `open_store`, bring it up to date with `migrate`, work inside
`reading(engine)` or `writing(engine)`, which give the connection that the
repositories take. What visitors say is encrypted, see `bot.store.vault`. Every
failure is a `StoreError` that names the fix.
"""

from bot.store.audit import Audit
from bot.store.engine import open_engine, open_store, reading, writing
from bot.store.errors import Conflict, StoreError
from bot.store.migrate import check, migrate
from bot.store.repositories import Alerts, Buttons, Conversations, Messages
from bot.store.tracker_events import TrackerEvents
from bot.store.vault import Vault, vault_of

__all__ = [
    "Alerts",
    "Audit",
    "Buttons",
    "Conflict",
    "Conversations",
    "Messages",
    "StoreError",
    "TrackerEvents",
    "Vault",
    "check",
    "migrate",
    "open_engine",
    "open_store",
    "reading",
    "vault_of",
    "writing",
]
