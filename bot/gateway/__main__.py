"""Run the gateway alone: `python -m bot.gateway`. Settings come from HANDRAIL_*."""

from __future__ import annotations

import sys

from bot import loading, one_thread


def main() -> int:
    """Serve until stopped; returns the process's exit code, see `bot.gateway.run`."""
    loading.begin()
    one_thread.install()

    from bot.gateway.run import UNUSABLE, run
    from bot.logs import configure_logs
    from bot.nlu.sentence_encoder import encode, hand_over
    from bot.safety.screen import Screen, load_screen
    from bot.settings import Settings

    configure_logs("gateway")
    try:
        settings = Settings.from_environment()
    except ValueError as error:
        print(f"the gateway cannot start: {error}", file=sys.stderr)
        return UNUSABLE

    def screen() -> Screen:
        if not settings.safety_model.is_file():
            raise ValueError(f"{settings.safety_model} is missing; `handrail train` makes it")
        return load_screen(classifier_path=settings.safety_model, encode=encode)

    return run(settings, screen, hand_over)


if __name__ == "__main__":
    sys.exit(main())
