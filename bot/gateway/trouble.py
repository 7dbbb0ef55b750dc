"""What the log says of an error that no visitor may see."""

from __future__ import annotations

import traceback

import structlog

from bot.store import StoreError

log = structlog.get_logger("handrail.gateway")


def log_trouble(conversation: str, error: BaseException) -> None:
    """Say what failed and where, without the error's text unless it is our own."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else None
    reason = str(error) if isinstance(error, StoreError) else None
    log.error(
        "trouble", conversation=conversation, kind=type(error).__name__, reason=reason, where=where
    )
