"""Places of Rasa 3.6.21 that do the same work again and again within a turn.

Results are the same; `tests/brain/test_faster_rasa.py` compares each piece, and whole
conversations, with Rasa as it is. Guarded by the version: another Rasa is left alone, and
the guard's test then asks for a look. What each one costs: docs/performance.md.

- Trackers are copied by making every slot anew and replaying every event.
- The states that policies look at are made from such copies, one for each action of the
  conversation, three times for each prediction. Both go on here from where they stand.
- RulePolicy compares every rule with every state; most fall out by the last action's name.
  It asks for rules about words first, and MemoizationPolicy for stories, where there are none.
- Slots are looked for in each message, one mapping after the other, where none has any.
- What policies and actions work on is copied deeply for debug lines that are never printed.
- The answer of each custom action is checked against a JSON schema, and the schema
  itself against its meta-schema every time (about 60 ms an action here).
- The class of each stored event is found by walking all subclasses of `Event`.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable
from typing import Any

import rasa
from rasa.core import processor
from rasa.core.actions import forms
from rasa.core.actions.action import ActionExtractSlots, RemoteAction
from rasa.core.policies import memoization, rule_policy
from rasa.core.policies.memoization import MemoizationPolicy
from rasa.core.policies.rule_policy import RulePolicy
from rasa.shared.core.constants import (
    ACTION_LISTEN_NAME,
    ACTION_VALIDATE_SLOT_MAPPINGS,
    DEFAULT_SLOT_NAMES,
    PREVIOUS_ACTION,
    REQUESTED_SLOT,
    RULE_SNIPPET_ACTION_NAME,
    USER,
    SlotMappingType,
)
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import (
    ActionExecuted,
    Event,
    Restarted,
    SlotSet,
)
from rasa.shared.core.slots import Slot
from rasa.shared.core.trackers import DialogueStateTracker

FOR_VERSION = "3.6.21"

_originals: list[tuple[Any, str, Any]] = []


def install() -> bool:
    """Put everything in place; False if this is another Rasa. Repeating it changes nothing."""
    if rasa.__version__ != FOR_VERSION:
        return False
    if not _originals:
        for owner, name, replacement in _replacements():
            _originals.append((owner, name, owner.__dict__[name]))
            setattr(owner, name, replacement)
    return True


def uninstall() -> None:
    """Rasa as it was, for tests that compare."""
    while _originals:
        setattr(*_originals.pop())


def _replacements() -> Iterable[tuple[Any, str, Any]]:
    yield DialogueStateTracker, "copy", _copy
    yield DialogueStateTracker, "__init__", _without_copying_slots(DialogueStateTracker.__init__)
    yield Domain, "states_for_tracker_history", _states(Domain.states_for_tracker_history)
    yield RulePolicy, "_get_possible_keys", _possible_keys
    yield (
        RulePolicy,
        "_find_action_from_rules",
        _unless_about_words(RulePolicy._find_action_from_rules),
    )
    yield (
        MemoizationPolicy,
        "predict_action_probabilities",
        _unless_without_stories(MemoizationPolicy.predict_action_probabilities),
    )
    yield ActionExtractSlots, "run", _unless_nothing_is_mapped(ActionExtractSlots.run)
    yield (
        forms.FormAction,
        "_temporary_tracker",
        _temporary_tracker(forms.FormAction._temporary_tracker),
    )
    for module in (processor, forms, memoization, rule_policy):
        yield module, "copy", _NoCopies
    yield RemoteAction, "_validate_action_result", _ResultCheck()
    yield Event, "resolve_by_type", staticmethod(_EventTypes(Event.resolve_by_type))


# --- trackers -----------------------------------------------------------------------------


def _copy(self: DialogueStateTracker) -> DialogueStateTracker:
    """The same state, reached without a replay; slots and the open loop are its own."""
    twin = DialogueStateTracker.__new__(type(self))
    twin.__dict__.update(self.__dict__)
    twin.events = self.events.copy()
    twin.slots = {name: _twin(slot) for name, slot in self.slots.items()}
    if self.active_loop is not None:
        twin.active_loop = _twin(self.active_loop)
    return twin


def _twin(thing: Any) -> Any:
    """What `copy.copy` does for an object without ways of its own to be copied."""
    twin = object.__new__(type(thing))
    twin.__dict__.update(thing.__dict__)
    return twin


def _without_copying_slots(original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def init(
        self: DialogueStateTracker,
        sender_id: str,
        slots: Iterable[Slot] | None,
        *rest: Any,
        **more: Any,
    ) -> None:
        original(self, sender_id, () if slots is not None else None, *rest, **more)
        if slots is not None:
            self.slots = {slot.name: _twin(slot) for slot in slots}
            self._reset_slots()

    return init


def _temporary_tracker(original: Callable[..., DialogueStateTracker]) -> Any:
    @functools.wraps(original)
    def temporary(
        self: forms.FormAction,
        current_tracker: DialogueStateTracker,
        additional_events: list[Event],
        domain: Domain,
    ) -> DialogueStateTracker:
        if any(isinstance(event, Restarted) for event in current_tracker.events):
            return original(self, current_tracker, additional_events, domain)
        tracker = current_tracker.copy()
        asked = SlotSet(REQUESTED_SLOT, self.get_slot_to_fill(current_tracker))
        for event in (asked, ActionExecuted(self.name()), *additional_events):
            tracker.update(event)
        return tracker

    return temporary


# --- policies -----------------------------------------------------------------------------


def _states(original: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
    @functools.wraps(original)
    def states_for_tracker_history(
        self: Domain,
        tracker: DialogueStateTracker,
        omit_unset_slots: bool = False,
        ignore_rule_only_turns: bool = False,
        rule_only_data: dict[str, Any] | None = None,
    ) -> list[Any]:
        if ignore_rule_only_turns:
            return original(self, tracker, omit_unset_slots, ignore_rule_only_turns, rule_only_data)
        # One tracker goes through all events, with the slots that policies see.
        seen = [slot for slot in tracker.slots.values() if slot.has_features()]
        on_the_way = DialogueStateTracker(tracker.sender_id, seen)
        states = []
        for event in tracker.applied_events():
            if isinstance(event, ActionExecuted):
                states.append(self.get_active_state(on_the_way, omit_unset_slots))
            if not isinstance(event, SlotSet) or event.key in on_the_way.slots:
                event.apply_to(on_the_way)
        return [*states, self.get_active_state(on_the_way, omit_unset_slots)]

    return states_for_tracker_history


def _possible_keys(self: RulePolicy, lookup: dict[str, str], states: list[Any]) -> set[str]:
    """The rules whose states are the last ones of `states`."""
    if not states:
        return set(lookup)
    action = (states[-1].get(PREVIOUS_ACTION) or {}).get("action_name")
    possible = [
        key
        for key, last in _last_states(tuple(lookup))
        if last is None or action is None or last == action
    ]
    for turn, state in enumerate(reversed(states)):
        possible = [key for key in possible if self._is_rule_applicable(key, turn, state)]
        if all(turn + 1 >= _length(key) for key in possible):
            break  # a rule that has come to its end stays
    return set(possible)


@functools.lru_cache(maxsize=8)
def _last_states(keys: tuple[str, ...]) -> list[tuple[str, str | None]]:
    """Each rule with the name of the action before its last state; None: not to be told."""
    told = []
    for key in keys:
        name = (json.loads(key)[-1].get(PREVIOUS_ACTION) or {}).get("action_name")
        told.append((key, name if isinstance(name, str) and name[:1].isalpha() else None))
    return told


@functools.lru_cache(maxsize=1000)
def _length(key: str) -> int:
    return len(json.loads(key))


def _unless_about_words(original: Callable[..., Any]) -> Callable[..., Any]:
    """Rules about the words of a message: where there are none, none is looked for.

    Then the words decide nothing: every rule for the turn of a visitor names an intent.
    """

    @functools.wraps(original)
    def find(
        self: RulePolicy,
        tracker: DialogueStateTracker,
        domain: Domain,
        use_text_for_last_user_input: bool,
    ) -> Any:
        if use_text_for_last_user_input and all(
            _names_an_intent(tuple(self.lookup.get(kind, {})))
            for kind in (rule_policy.RULES, rule_policy.RULES_FOR_LOOP_UNHAPPY_PATH)
        ):
            return None, None, False
        return original(self, tracker, domain, use_text_for_last_user_input)

    return find


@functools.lru_cache(maxsize=8)
def _names_an_intent(keys: tuple[str, ...]) -> bool:
    """Whether each rule that ends with a visitor's turn ends with its intent."""
    last = [json.loads(key)[-1] for key in keys]
    turns = [
        state
        for state in last
        if (state.get(PREVIOUS_ACTION) or {}).get("action_name")
        in (None, ACTION_LISTEN_NAME, RULE_SNIPPET_ACTION_NAME)
    ]
    return all((state.get(USER) or {}).get("intent") for state in turns)


def _unless_without_stories(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def predict(
        self: MemoizationPolicy,
        tracker: DialogueStateTracker,
        domain: Domain,
        rule_only_data: dict[str, Any] | None = None,
        **more: Any,
    ) -> Any:
        if not self.lookup:
            return self._prediction(self._default_predictions(domain))
        return original(self, tracker, domain, rule_only_data, **more)

    return predict


# --- actions ------------------------------------------------------------------------------


def _unless_nothing_is_mapped(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    async def run(
        self: ActionExtractSlots,
        output_channel: Any,
        nlg: Any,
        tracker: DialogueStateTracker,
        domain: Domain,
    ) -> list[Event]:
        if not _all_slots_are_our_own(domain) or any(
            isinstance(event, Restarted) for event in tracker.events
        ):
            found: list[Event] = await original(self, output_channel, nlg, tracker, domain)
            return found
        if ACTION_VALIDATE_SLOT_MAPPINGS not in domain.user_actions:
            return []
        return await self._run_custom_action(
            ACTION_VALIDATE_SLOT_MAPPINGS, output_channel, nlg, tracker, domain
        )

    return run


def _all_slots_are_our_own(domain: Domain) -> bool:
    """Whether no slot is filled from entities, intents or text, nor by an action of its own."""
    known: bool | None = domain.__dict__.get("_handrail_all_own")
    if known is None:
        known = all(
            mapping.get("type") == str(SlotMappingType.CUSTOM) and not mapping.get("action")
            for slot in domain.slots
            if slot.name not in DEFAULT_SLOT_NAMES
            for mapping in slot.mappings
        )
        domain.__dict__["_handrail_all_own"] = known
    return known


class _NoCopies:
    """Stands for the module `copy` where it is used for debug lines alone."""

    @staticmethod
    def deepcopy(thing: Any) -> Any:
        return thing


class _ResultCheck:
    """Checks an action's answer with a validator that is made once."""

    def __init__(self) -> None:
        from jsonschema.validators import validator_for

        schema = RemoteAction.action_response_format_spec()
        self._validator = validator_for(schema)(schema)

    def __call__(self, result: dict[str, Any]) -> bool:
        if not _is_plain(result):
            self._validator.validate(result)
        return True


def _is_plain(result: Any) -> bool:
    """Whether an answer has only what our actions mostly say, told at a glance."""
    return (
        type(result) is dict
        and type(result.get("events")) is list
        and type(result.get("responses")) is list
        and all(type(response) is dict for response in result["responses"])
        and all(
            type(event) is dict
            and event.keys() == {"event", "timestamp", "name", "value"}
            and event["event"] == "slot"
            and type(event["name"]) is str
            and event["timestamp"] is None
            for event in result["events"]
        )
    )


class _EventTypes:
    """Remembers which class a type name stands for."""

    def __init__(self, resolve: Any):
        self._resolve = resolve
        self._known: dict[str, Any] = {}

    def __call__(self, type_name: str, default: Any = None) -> Any:
        if type_name not in self._known:
            found = self._resolve(type_name, default)
            if found is None or found is default:
                return found
            self._known[type_name] = found
        return self._known[type_name]
