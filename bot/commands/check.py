"""`handrail check`: every mistake in the reviewed data, with file and line."""

from __future__ import annotations

import os
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
    from bot.console.desk import desk_problems
    from bot.nlu.examples import intent_by_example
    from bot.safety import check as safety
    from bot.sms.keywords import load_keywords
    from bot.sms.reactions import load_reactions
    from bot.sms.wording import load_words
    from bot.store.purge import load_retention
    from bot.texts.messages import load_texts

    problems: list[Problem] = []
    problems += _of_clinic(clinics.problems(settings.clinics, intent_by_example()), clinic)
    problems += care.problems(today)
    problems += safety.problems(today)
    problems += desk_problems()
    loads = (load_texts, load_words, load_keywords, load_reactions)
    for load in (*loads, lambda: load_retention(settings.retention)):
        try:
            load()
        except DataError as error:
            problems += error.problems
    for problem in problems:
        print(problem, file=sys.stderr)
    missing = _missing_settings(settings, clinic)
    for reason in missing:
        print(f"warning: {reason}", file=sys.stderr)
    mistakes = sum(not problem.warning for problem in problems)
    warnings = len(problems) - mistakes + len(missing)
    print(f"{mistakes} mistakes, {warnings} warnings")
    return 1 if mistakes else 0


def _missing_settings(settings: Settings, clinic: str | None) -> list[str]:
    """Settings that notices and texts need; profiles with mistakes are told above."""
    from bot.clinic.profile import load_clinics
    from bot.worker.readiness import not_ready

    try:
        clinics = load_clinics(settings.clinics)
    except DataError:
        return []
    chosen = {name: each for name, each in clinics.items() if clinic in (None, name)}
    reasons = not_ready(chosen, settings.smtp, os.environ)
    if any(each.sms for each in chosen.values()) and not (
        settings.twilio_account and settings.twilio_tokens
    ):
        reasons.append(
            "HANDRAIL_TWILIO_ACCOUNT and HANDRAIL_TWILIO_TOKENS are not both set, so no text "
            "comes or goes"
        )
    return reasons


def _of_clinic(problems: list[Problem], clinic: str | None) -> list[Problem]:
    return [p for p in problems if clinic is None or p.path.stem == clinic]
