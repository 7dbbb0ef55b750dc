"""Rasa policy: a message of danger is answered first, whatever form is open.

RulePolicy lets an active form outrank every rule, so a rule for danger would not
fire inside a form. This policy has a higher priority and speaks as Rasa's own
form handling does (`is_no_user_prediction`), which the ensemble prefers over
everything else.
"""

from __future__ import annotations

from typing import Any

from rasa.core.policies.policy import Policy, PolicyPrediction, SupportedData, confidence_scores_for
from rasa.engine.graph import ExecutionContext
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.core.constants import ACTION_LISTEN_NAME
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, UserUttered
from rasa.shared.core.generator import TrackerWithCachedStates
from rasa.shared.core.trackers import DialogueStateTracker

from bot.brain.names import ACTION_SAFETY, ACTION_SAFETY_FOLLOW_UP, CALLBACK_FORM, PENDING, TIER
from bot.brain.safety_turn import SafetyStep, next_step
from bot.handoff.times import is_now
from bot.vocabulary import TIER_CRISIS_OTHER, TIER_NONE, tier_at_least


@DefaultV1Recipe.register(
    DefaultV1Recipe.ComponentType.POLICY_WITHOUT_END_TO_END_SUPPORT, is_trainable=True
)
class SafetyPolicy(Policy):
    """Predicts the safety actions; says nothing on any other turn."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Priority above RulePolicy (4)."""
        return {"priority": 10, "max_history": None}

    @staticmethod
    def supported_data() -> SupportedData:
        """It learns from neither stories nor rules."""
        return SupportedData.ML_AND_RULE_DATA

    def train(
        self, training_trackers: list[TrackerWithCachedStates], domain: Domain, **_: Any
    ) -> Resource:
        """There is nothing to learn: what to do in danger is not left to data."""
        return self._resource

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **_: Any,
    ) -> SafetyPolicy:
        """Make the policy anew; it stores nothing."""
        return cls(config, model_storage, resource, execution_context)

    def predict_action_probabilities(
        self,
        tracker: DialogueStateTracker,
        domain: Domain,
        rule_only_data: dict[str, Any] | None = None,
        **_: Any,
    ) -> PolicyPrediction:
        """The safety action that is due, if one is."""
        step = next_step(
            actions=_actions_since_message(tracker),
            intent=tracker.latest_message.intent.get("name") if tracker.latest_message else None,
            pending=tracker.get_slot(PENDING),
            form_is_open=tracker.active_loop_name is not None,
            barrier=_barrier(tracker),
            says_how_to_reach=_says_how_to_reach(tracker),
            in_crisis=tier_at_least(tracker.get_slot(TIER) or TIER_NONE, TIER_CRISIS_OTHER),
            says_when=_says_when(tracker),
        )
        action = {
            SafetyStep.RESPOND: ACTION_SAFETY,
            SafetyStep.FOLLOW_UP: ACTION_SAFETY_FOLLOW_UP,
            SafetyStep.LISTEN: ACTION_LISTEN_NAME,
        }.get(step)
        if action is None:
            return self._prediction(self._default_predictions(domain))
        return PolicyPrediction(
            confidence_scores_for(action, 1.0, domain),
            self.__class__.__name__,
            self.priority,
            is_no_user_prediction=True,
        )


def _barrier(tracker: DialogueStateTracker) -> str | None:
    parsed = tracker.latest_message.parse_data if tracker.latest_message else {}
    return (parsed.get("safety") or {}).get("barrier")  # type: ignore[attr-defined]


def _says_how_to_reach(tracker: DialogueStateTracker) -> bool:
    message = tracker.latest_message
    typed = message is not None and message.intent.get("confidence", 0.0) < 1.0  # no button
    asked = tracker.get_slot("requested_slot") in ("ok_to_call", "ok_to_text", "ok_voicemail")
    # Where there was no danger, "can you text me instead" is no answer to help that was offered.
    calm = (tracker.get_slot(TIER) or TIER_NONE) == TIER_NONE
    return typed and (calm or (asked and tracker.active_loop_name == CALLBACK_FORM))


def _says_when(tracker: DialogueStateTracker) -> bool:
    message = tracker.latest_message
    asked = tracker.get_slot("requested_slot") == "best_time"
    in_form = tracker.active_loop_name == CALLBACK_FORM
    return message is not None and asked and in_form and is_now(message.text or "")


def _actions_since_message(tracker: DialogueStateTracker) -> list[str]:
    names: list[str] = []
    for event in reversed(tracker.events):
        if isinstance(event, UserUttered):
            break
        if isinstance(event, ActionExecuted) and event.action_name not in (
            None,
            ACTION_LISTEN_NAME,
        ):
            names.append(str(event.action_name))
    return names[::-1]
