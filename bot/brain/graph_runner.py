"""Runs a trained Rasa graph in this thread, one node after the other.

Rasa's own runner hands ten nodes to dask, which plans and schedules them anew for every
message and every prediction. The order of a graph does not change: it is worked out once.
"""

from __future__ import annotations

from typing import Any

from rasa.engine.exceptions import GraphRunError
from rasa.engine.graph import ExecutionContext, GraphNode, GraphNodeHook, GraphSchema
from rasa.engine.runner.interface import GraphRunner
from rasa.engine.storage.storage import ModelStorage


class SequentialGraphRunner(GraphRunner):
    """See `rasa.engine.runner.interface.GraphRunner`."""

    def __init__(self, schema: GraphSchema, nodes: dict[str, GraphNode]):
        self._schema = schema
        self._nodes = nodes
        self._orders: dict[tuple[str, ...], list[str]] = {}

    @classmethod
    def create(
        cls,
        graph_schema: GraphSchema,
        model_storage: ModelStorage,
        execution_context: ExecutionContext,
        hooks: list[GraphNodeHook] | None = None,
    ) -> SequentialGraphRunner:
        """Load every node's component."""
        nodes = {
            name: GraphNode.from_schema_node(name, node, model_storage, execution_context, hooks)
            for name, node in graph_schema.nodes.items()
        }
        return cls(graph_schema, nodes)

    def run(
        self, inputs: dict[str, Any] | None = None, targets: list[str] | None = None
    ) -> dict[str, Any]:
        """The outputs of `targets`, by default of all that the schema names.

        Args:
            inputs: outputs of nodes that the graph needs and does not have.
            targets: names of nodes.

        Raises:
            GraphRunError: an input is missing, or nodes need each other.
        """
        wanted = tuple(targets or self._schema.target_names)
        if wanted not in self._orders:
            self._orders[wanted] = self._order(wanted, set(inputs or {}))
        outputs = dict(inputs or {})
        for name in self._orders[wanted]:
            needs = self._schema.nodes[name].needs.values()
            missing = [need for need in needs if need not in outputs]
            if missing:
                raise GraphRunError(f"node {name} needs {missing[0]}, which nothing provides")
            outputs[name] = self._nodes[name](*((need, outputs[need]) for need in needs))[1]
        return {name: outputs[name] for name in wanted}

    def _order(self, wanted: tuple[str, ...], given: set[str]) -> list[str]:
        """The nodes behind `wanted`, each after all that it needs."""
        order: list[str] = []
        under_way: set[str] = set()

        def visit(name: str) -> None:
            if name in given or name in order:
                return
            if name in under_way:
                raise GraphRunError(f"node {name} needs itself")
            if name not in self._schema.nodes:
                raise GraphRunError(f"there is no node {name}, and no input of this name")
            under_way.add(name)
            for need in self._schema.nodes[name].needs.values():
                visit(need)
            order.append(name)

        for name in wanted:
            visit(name)
        return order
