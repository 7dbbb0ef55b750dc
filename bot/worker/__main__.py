"""Run the worker alone: `python -m bot.worker`. Settings come from HANDRAIL_*."""

from __future__ import annotations

import sys

from bot import loading


def main() -> int:
    """Work until stopped; returns the process's exit code, see `bot.worker.run`."""
    loading.begin()

    from bot.logs import configure_logs
    from bot.settings import Settings
    from bot.worker.run import UNUSABLE, run

    loading.done()
    configure_logs("worker")
    try:
        settings = Settings.from_environment()
    except ValueError as error:
        print(f"the worker cannot start: {error}", file=sys.stderr)
        return UNUSABLE
    return run(settings)


if __name__ == "__main__":
    sys.exit(main())
