"""Read JSON lines, answer each with one JSON line, in order, at once."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TextIO


class LineError(Exception):
    """This line cannot be answered; the message says what is wrong with it."""


def answer_lines(
    answer: Callable[[Mapping[str, Any]], Mapping[str, Any]], lines: TextIO, out: TextIO
) -> None:
    """Answer every line of `lines` on `out`.

    The keys of the input line are kept and those of the answer added. A line that is
    no JSON object, or that `answer` refuses with `LineError`, is answered with
    `{"error": ...}`, and the rest goes on.
    """
    for line in lines:
        given: dict[str, Any] = {}
        try:
            given = _object(line)
            answered: Mapping[str, Any] = answer(given)
        except LineError as error:
            answered = {"error": str(error)}
        out.write(json.dumps({**given, **answered}, ensure_ascii=False) + "\n")
        out.flush()


def text_of(given: Mapping[str, Any], key: str = "text") -> str:
    """The string under `key`; raises LineError if there is none."""
    value = given.get(key)
    if not isinstance(value, str):
        raise LineError(f'a string is expected under "{key}"')
    return value


def read_time(value: object) -> datetime:
    """An ISO time with a zone; raises LineError."""
    try:
        moment = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    except ValueError as error:
        raise LineError(f"{value!r} is no ISO time such as 2026-11-26T20:00:00-05:00") from error
    if moment.tzinfo is None:
        raise LineError(f"{value!r} has no zone; write 2026-11-26T20:00:00-05:00")
    return moment


def _object(line: str) -> dict[str, Any]:
    try:
        given = json.loads(line)
    except ValueError as error:
        raise LineError(f"not valid JSON: {error}") from error
    if not isinstance(given, dict):
        raise LineError(f"a JSON object is expected, not {type(given).__name__}")
    return given
