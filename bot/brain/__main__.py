"""`python -m bot.brain`: load the model, then serve turns on the Unix socket.

Exit codes: 0 stopped cleanly, 1 something that it needs cannot be used (said on stderr).
"""

from __future__ import annotations

import asyncio
import functools
import os
import signal
import sys

from bot import loading, one_thread
from bot.nlu import without_tensorflow


def main() -> int:
    """Serve until SIGTERM or SIGINT; turns in flight are finished."""
    os.environ.setdefault("RASA_TELEMETRY_ENABLED", "false")
    os.umask(0o077)  # the socket is for this user alone
    loading.begin()
    one_thread.install()
    without_tensorflow.install(training=False)

    from bot.logs import configure_logs

    configure_logs("brain")

    from bot import wire
    from bot.brain.brain import TurnFailed, load_brain
    from bot.brain.house import open_house
    from bot.brain.server import answer
    from bot.nlu.other_languages import load_languages
    from bot.reviewed import DataError
    from bot.settings import Settings
    from bot.store import StoreError, migrate, open_store

    async def serve() -> None:
        settings = Settings.from_environment()
        engine = open_store(settings)
        migrate(engine)
        # Before the rest is loaded: while they are read they need as much again as they keep.
        load_languages()
        loading.give_back()
        brain = await load_brain(settings, engine, open_house(settings, engine))
        await brain.ready()
        loading.done()
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await wire.serve(settings.socket, functools.partial(answer, brain), stop)

    try:
        asyncio.run(serve())
    except (TurnFailed, StoreError, DataError, ValueError) as error:
        print(f"the brain cannot start: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
