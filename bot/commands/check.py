"""`handrail check`: every mistake in the reviewed data, with file and line."""

from __future__ import annotations

import sys
from datetime import date

from bot.reviewed import DataError, Problem
from bot.settings import Settings


def check(settings: Settings, clinic: str | None, today: date) -> int:
    """Print every problem; 1 if any is more than a warning, else 0.

    Args:
        settings: where the clinics are.
        clinic: check only this profile; everything else is checked all the same.
        today: contacts verified too long before it are warned of.
    """
    from bot.care import check as care
    from bot.clinic import check as clinics
    from bot.safety import check as safety
    from bot.texts.messages import load_texts

    problems: list[Problem] = []
    problems += _of_clinic(clinics.problems(settings.clinics), clinic)
    problems += care.problems(today)
    problems += safety.problems(today)
    try:
        load_texts()
    except DataError as error:
        problems += error.problems
    for problem in problems:
        print(problem, file=sys.stderr)
    mistakes = sum(not problem.warning for problem in problems)
    print(f"{mistakes} mistakes, {len(problems) - mistakes} warnings")
    return 1 if mistakes else 0


def _of_clinic(problems: list[Problem], clinic: str | None) -> list[Problem]:
    return [p for p in problems if clinic is None or p.path.stem == clinic]
