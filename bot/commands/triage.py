"""`handrail triage`: the level-of-care rules over JSON lines of answers."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from bot.care.engine import Rules, load_rules
from bot.clinic.profile import Clinic
from bot.commands.jsonlines import LineError, answer_lines
from bot.vocabulary import ITEMS


def triage(clinic: Clinic | None) -> int:
    """Answer stdin on stdout; `clinic` gives the profile's own rules, None gives none."""
    rules = load_rules()
    answer_lines(lambda given: evaluate(rules, clinic, given), sys.stdin, sys.stdout)
    return 0


def evaluate(rules: Rules, clinic: Clinic | None, given: Mapping[str, Any]) -> dict[str, Any]:
    """The disposition for the items among the keys of `given`; other keys are ignored."""
    answers = {item: value for item, value in given.items() if item in ITEMS}
    try:
        disposition = rules.evaluate(
            answers,
            outpatient_for_moderate=bool(
                clinic and clinic.outpatient_for_moderate_with_strong_support
            ),
            levels_offered=clinic.levels_within_reach if clinic else None,
        )
    except ValueError as error:
        raise LineError(str(error)) from error
    return {
        "level": disposition.level,
        "at_least": disposition.at_least,
        "reasons": [
            {"rule": reason.rule, "why": reason.why, "source": reason.source}
            for reason in disposition.reasons
        ],
        "unknown": list(disposition.unknown),
        "rules_version": disposition.rules_version,
    }
