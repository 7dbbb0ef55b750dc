"""Structured logs without health information: one JSON object a line, on stderr.

Log calls name events and give ids and counts; never a visitor's words. Rasa's own
loggers are kept to warnings, because its debug lines quote messages.
"""

from __future__ import annotations

import logging
import sys

import structlog

_NEVER_LOGGED = ("text", "message_text", "user_text", "token", "phone", "name_given")


def configure_logs(process: str, level: int = logging.INFO) -> None:
    """Set up logging for a process.

    Args:
        process: "gateway", "brain", ... stands in every line.
        level: standard library level for our own events.
    """
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(message)s", force=True)
    # The pinned libraries' deprecations are not the operator's business; as log lines they
    # obey a level, whatever filters those libraries install.
    logging.captureWarnings(True)
    for noisy in ("rasa", "rasa_sdk", "matplotlib", "apscheduler", "sqlalchemy", "py.warnings"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _without_words,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    structlog.contextvars.bind_contextvars(process=process)


def _without_words(
    _logger: object, _method: str, event: structlog.types.EventDict
) -> structlog.types.EventDict:
    """Drop what could be a visitor's words, in our own and in Rasa's events."""
    for key in list(event):
        if key in _NEVER_LOGGED or key.endswith(("_text", "_entities", "_message", "_states")):
            del event[key]
    return event
