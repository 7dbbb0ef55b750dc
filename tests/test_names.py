"""domain.yml, the NLU data and the code use the same names."""

from collections import Counter
from pathlib import Path

import pytest
import yaml

import actions
from bot.brain import names
from bot.handoff.callback import FIELDS
from bot.vocabulary import (
    ANSWER,
    CRISIS_CAN_CALL,
    CRISIS_CANNOT_CALL,
    CRISIS_GO_ON,
    FAQ_TOPICS,
    ITEMS,
    ONLY_LINK,
    OTHER_SCRIPT,
    SAFETY_INTENTS,
    UNKNOWN,
    VISITOR_ACTS,
    faq_intent,
)

ROOT = Path(__file__).parent.parent
SLOTS_OF_CODE = {
    value
    for name, value in vars(names).items()
    if name.isupper() and not name.startswith(("ACTION_", "VALIDATE_", "PENDING_"))
    and not name.endswith("_FORM")
}  # fmt: skip
LEARNT = {*map(faq_intent, FAQ_TOPICS), *VISITOR_ACTS}
SET_BY_CODE = {
    ANSWER,
    CRISIS_CAN_CALL,
    CRISIS_GO_ON,
    "nlu_fallback",
    *SAFETY_INTENTS,
    OTHER_SCRIPT,
    ONLY_LINK,
}


@pytest.fixture(scope="module")
def domain():
    return yaml.safe_load((ROOT / "domain.yml").read_text())


@pytest.fixture(scope="module")
def nlu():
    examples: dict[str, list[str]] = {}
    for path in sorted((ROOT / "data/nlu").glob("*.yml")):
        for entry in yaml.safe_load(path.read_text())["nlu"]:
            lines = [line[2:] for line in entry["examples"].splitlines() if line.startswith("- ")]
            examples.setdefault(entry["intent"], []).extend(lines)
    return examples


def test_intents_are_the_vocabulary(domain):
    assert set(domain["intents"]) == LEARNT | SET_BY_CODE | {CRISIS_CANNOT_CALL}


def test_slots_are_items_callback_fields_and_the_names_of_code(domain):
    assert set(domain["slots"]) == set(ITEMS) | set(FIELDS) | SLOTS_OF_CODE


def test_categorical_slots_take_exactly_the_items_values(domain):
    for item, values in ITEMS.items():
        if values:
            assert domain["slots"][item]["values"] == [*values, UNKNOWN]


def test_the_forms_ask_the_items_and_the_fields(domain):
    assert domain["forms"][names.TRIAGE_FORM]["required_slots"] == list(ITEMS)
    # Bookkeeping sets the language: to Rasa that would be an answer to the form.
    fields = [field for field in FIELDS if field != names.LANGUAGE]
    assert domain["forms"][names.CALLBACK_FORM]["required_slots"] == fields


def test_every_action_of_the_domain_exists_and_the_other_way_round(domain):
    from rasa_sdk.executor import ActionExecutor

    executor = ActionExecutor()
    executor.register_package(actions.__name__)
    assert set(domain["actions"]) == set(executor.actions)


def test_every_intent_to_be_learnt_has_examples_of_its_own(nlu):
    assert set(nlu) == LEARNT | {CRISIS_CANNOT_CALL}
    few = {intent: len(lines) for intent, lines in nlu.items() if len(lines) < 12}
    assert not few


def test_no_example_stands_under_two_intents(nlu):
    seen = Counter(line.lower().strip(" .?!") for lines in nlu.values() for line in set(lines))
    assert [line for line, count in seen.items() if count > 1] == []


def test_a_rule_answers_every_intent(domain):
    answered = set()
    for path in (ROOT / "data/stories").glob("*.yml"):
        for rule in yaml.safe_load(path.read_text())["rules"]:
            answered |= {step["intent"] for step in rule["steps"] if "intent" in step}
    assert answered == set(domain["intents"])
