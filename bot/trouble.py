"""What a log may say of an error that nobody expected."""

from __future__ import annotations

import traceback

from bot.store import StoreError


def about(error: BaseException) -> dict[str, str | None]:
    """What failed and where; the error's own text, which may quote a visitor, only if ours."""
    frames = traceback.extract_tb(error.__traceback__)
    return {
        "kind": type(error).__name__,
        "reason": str(error) if isinstance(error, StoreError) else None,
        "where": f"{frames[-1].filename}:{frames[-1].lineno}" if frames else None,
    }
