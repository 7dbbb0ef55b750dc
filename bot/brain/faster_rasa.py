"""Two places of Rasa 3.6.21 that do the same work again for every action and event.

Results are the same; `tests/brain/test_faster_rasa.py` compares. Guarded by the
version: another Rasa is left as it is, and the guard's test then asks for a look.

- The answer of each custom action is checked against a JSON schema, and the schema
  itself against its meta-schema every time (about 60 ms an action here).
- The class of each stored event is found by walking all subclasses of `Event`.
"""

from __future__ import annotations

from typing import Any

import rasa
from rasa.core.actions.action import RemoteAction
from rasa.shared.core.events import Event

FOR_VERSION = "3.6.21"


def install() -> bool:
    """Put both in place; False if this is another Rasa. Repeating it changes nothing."""
    if rasa.__version__ != FOR_VERSION:
        return False
    RemoteAction._validate_action_result = _ResultCheck()  # type: ignore[assignment]
    if not isinstance(Event.resolve_by_type, _EventTypes):
        Event.resolve_by_type = _EventTypes(Event.resolve_by_type)  # type: ignore[assignment]
    return True


class _ResultCheck:
    """Checks an action's answer with a validator that is made once."""

    def __init__(self) -> None:
        from jsonschema.validators import validator_for

        schema = RemoteAction.action_response_format_spec()
        self._validator = validator_for(schema)(schema)

    def __call__(self, result: dict[str, Any]) -> bool:
        self._validator.validate(result)
        return True


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
