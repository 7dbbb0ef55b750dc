"""Run custom actions in this process, behind Rasa's own action-server interface."""

from __future__ import annotations

import contextvars
import json
from typing import Any

import structlog
from rasa.utils.endpoints import ClientResponseError, EndpointConfig
from rasa_sdk.executor import ActionExecutor
from rasa_sdk.interfaces import ActionExecutionRejection

from bot.trouble import about

_log = structlog.get_logger(__name__)

# Failures of the turn that is running. Rasa swallows a failed action and says nothing;
# the turn reads this list and fails loudly, so that the gateway answers instead.
failures: contextvars.ContextVar[list[str]] = contextvars.ContextVar("action_failures")


class InProcessActions(EndpointConfig):
    """An action endpoint without HTTP: runs the actions of the package `actions`."""

    def __init__(self) -> None:
        super().__init__(url="in-process")
        self._executor = ActionExecutor()
        self._executor.register_package("actions")

    async def request(self, *_: Any, json: dict[str, Any] | None = None, **__: Any) -> Any:
        """Run the action that Rasa asks for; arguments as in `EndpointConfig.request`."""
        call = json or {}
        name = str(call.get("next_action"))
        try:
            return await self._executor.run(call)
        except ActionExecutionRejection as rejection:
            raise _rejected(rejection) from rejection
        except Exception as error:
            # The message may quote the visitor; the type and the place are enough.
            _log.error("action_failed", action=name, **about(error))
            failures.get().append(f"{name}: {type(error).__name__}: {error}")
            raise ClientResponseError(500, f"{name} failed", "{}") from error


def _rejected(rejection: ActionExecutionRejection) -> ClientResponseError:
    answer = {"action_name": rejection.action_name, "error": rejection.message}
    return ClientResponseError(400, "rejected", json.dumps(answer))
