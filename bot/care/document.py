"""docs/level-of-care.md: the rules and the questions as a page a clinician can read.

Generated from the tables, so that page and engine cannot differ; a test fails when
the page is not current. Write it with `python -m bot.care.document`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from bot.care.engine import Rules, load_rules
from bot.care.jurisdictions import load_jurisdictions
from bot.care.questionnaire import Item, Questionnaire, load_questionnaire
from bot.care.rules import Rule
from bot.reviewed import Bilingual
from bot.vocabulary import ITEMS, LEVELS, UNKNOWN

DOCUMENT_FILE = Path(__file__).resolve().parents[2] / "docs" / "level-of-care.md"

LEVEL_NAMES = {
    "emergency": "Emergency (911)",
    "crisis_assessment": "Crisis assessment (a person, today)",
    "inpatient": "Inpatient or detox",
    "php": "Partial hospitalization (PHP)",
    "iop": "Intensive outpatient (IOP)",
    "outpatient": "Outpatient",
}

_WHEN_ASKED = {
    "opening": "always, first",
    "gate": "before a level may be shown",
    "level": "while it can change the level",
    "preference": "last, for IOP and PHP, if there is room",
}


def level_of_care_page() -> str:
    """The whole page as Markdown."""
    rules, questionnaire = load_rules(), load_questionnaire()
    parts = [
        _introduction(rules),
        _rules(rules),
        _unknowns(rules),
        _jurisdictions(),
        _questions(questionnaire),
        _visitor_wordings(rules),
        _sources(rules),
    ]
    return "\n".join("\n".join(part) for part in parts).rstrip() + "\n"


def main() -> None:
    """Write the page."""
    DOCUMENT_FILE.parent.mkdir(exist_ok=True)
    DOCUMENT_FILE.write_text(level_of_care_page(), encoding="utf-8")


def _introduction(rules: Rules) -> Iterator[str]:
    yield "# Level of care: the rules and the questions"
    yield ""
    yield (
        "<!-- Generated from bot/care/*.yml by `python -m bot.care.document`; "
        "change the tables, not this page. -->"
    )
    yield ""
    yield f"Version of the rules: `{rules.version}`."
    yield ""
    yield (
        "Handrail asks a visitor a few questions and applies the table below. The result is "
        "orientation for the visitor and a first sorting for staff; a clinician decides, on "
        "the phone or in person. It is no diagnosis and no assessment instrument: no "
        "licensed items, anchors or scores are used, and nothing is added up or averaged."
    )
    yield ""
    yield "- Every rule that holds sets a floor. **The highest floor is the level.**"
    yield (
        "- **What is not known never lowers the level.** It makes the result a consultation: "
        "a person decides. `at_least` then says what is certain."
    )
    yield (
        "- Working or going to school, when somebody can come, and who is asking are notes "
        "for staff. They never change the level."
    )
    yield ""


def _rules(rules: Rules) -> Iterator[str]:
    yield "## Rules"
    yield ""
    for level in reversed(LEVELS):
        yield f"### {LEVEL_NAMES[level]}"
        yield ""
        if level == LEVELS[0]:
            yield (
                "The level when no rule above holds and everything that could set a higher "
                "floor is known. These rules only say what speaks for it:"
            )
            yield ""
        yield from _rule_table(rule for rule in rules.table.rules if rule.floor == level)
    yield "### Notes for staff"
    yield ""
    yield from _rule_table(rule for rule in rules.table.rules if rule.note)


def _rule_table(rules: Iterable[Rule]) -> Iterator[str]:
    yield from _table(
        ("Rule", "When", "Why", "Source"),
        ((f"`{rule.id}`", _when(rule), rule.why, rule.source) for rule in rules),
    )


def _when(rule: Rule) -> str:
    condition = _condition(rule.when)
    if rule.clinic:
        suits = "suits" if rule.clinic.outpatient_for_moderate else "does not suit"
        condition += (
            f"; at clinics whose outpatient care {suits} moderate symptoms with strong support"
        )
    if rule.bound:
        condition += " (sets `at_least`; a person decides unless another rule holds)"
    return condition


def _condition(when: Mapping[str, list[str]]) -> str:
    return " and ".join(f"{item} = {' or '.join(values)}" for item, values in when.items())


def _unknowns(rules: Rules) -> Iterator[str]:
    safety = ", ".join(rules.table.safety_items)
    yield "## When a person decides"
    yield ""
    yield (
        f"- One of {safety} is not known, and no floor of crisis assessment or above holds: "
        "consultation, with `at_least` at the floor that was found."
    )
    yield (
        "- No floor above outpatient settles the level, and an answer that could set one is "
        "not known: consultation."
    )
    yield "- The clinic does not offer the level: consultation; the clinic will help find it."
    yield (
        "- Under 18, or age not known: staff get the level, the visitor is told none and a "
        "person talks with them. Crisis help is given at any age."
    )
    yield ""
    yield from _table(
        ("Outcome", "For staff", "Source"),
        (
            (f"`{name}`", outcome.why, outcome.source)
            for name, outcome in rules.table.outcomes.items()
        ),
    )


def _jurisdictions() -> Iterator[str]:
    yield "## States"
    yield ""
    yield (
        "No level is suggested to visitors in the states marked reserved, outside the states "
        "the clinic is licensed in, and where the state is not known: questions are answered, "
        "crisis help and the hand-off work as everywhere. This is not legal advice."
    )
    yield ""
    yield from _table(
        ("State", "Rule", "Law", "Since", "Why", "Source", "Verified"),
        (
            (
                code,
                found.rule,
                found.law,
                str(found.effective or "-"),
                found.why,
                found.source,
                str(found.verified_on),
            )
            for code, found in load_jurisdictions().states.items()
        ),
    )


def _questions(questionnaire: Questionnaire) -> Iterator[str]:
    yield "## Questions"
    yield ""
    yield (
        f"At most {questionnaire.limit} are asked of anybody, in this order, and each only while "
        "its answer can change the level. Danger ends the questions at once. Minors, and people "
        "who do not give their age or state, are asked only the urgent ones, because no level "
        "will be shown. Every question can be skipped; a skipped answer is `unknown`."
    )
    yield ""
    yield from _table(
        ("Item", "Question", "Choices", "Asked", "Why we ask"),
        (
            (
                f"`{item.name}`",
                f"{item.question('en', 'self')} / {item.question('es', 'self')}",
                _choices(item),
                _asked(item),
                f"{item.why.en} / {item.why.es}",
            )
            for item in questionnaire.items.values()
        ),
    )
    yield "### What an answer says about another question"
    yield ""
    yield (
        "Used only where the other question was neither asked nor answered. This is how "
        f"{len(ITEMS)} items fit into {questionnaire.limit} questions. On the rare ways that "
        "would still be longer (stable after IOP with substance use as the main concern, or "
        "with moderate symptoms and strong support), the last question stays open and a person "
        "decides."
    )
    yield ""
    yield from _table(
        ("Inference", "When", "Then", "Why"),
        (
            (
                f"`{inference.id}`",
                _condition(inference.when),
                _condition({item: [value] for item, value in inference.sets.items()}),
                inference.why,
            )
            for inference in questionnaire.inferences
        ),
    )


def _choices(item: Item) -> str:
    if not item.choices:
        return "the state's name or its two letters"
    return "; ".join(
        f"`{choice.value}`: {choice.label.en} / {choice.label.es}" for choice in item.choices
    )


def _asked(item: Item) -> str:
    asked = _WHEN_ASKED[item.role]
    if item.after:
        asked += f", after {item.after}"
    return f"{asked}; urgent" if item.urgent else asked


def _visitor_wordings(rules: Rules) -> Iterator[str]:
    yield "## What visitors read"
    yield ""
    yield (
        "At most three reasons, the weightiest first, then what the next step is and that a "
        "clinician decides."
    )
    yield ""
    wordings: list[tuple[str, Bilingual]] = [
        *((rule.id, rule.visitor) for rule in rules.table.rules if rule.visitor),
        *((name, outcome.visitor) for name, outcome in rules.table.outcomes.items()),
    ]
    yield from _table(
        ("Rule or outcome", "English", "Spanish"),
        ((f"`{name}`", visitor.en, visitor.es) for name, visitor in wordings),
    )


def _sources(rules: Rules) -> Iterator[str]:
    yield "## Sources"
    yield ""
    for key, source in rules.table.sources.items():
        yield f"- `{key}`: {source}"
    yield ""
    yield f"`{UNKNOWN}` means not asked, not said, or not known."


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"
    yield ""


if __name__ == "__main__":
    main()
