"""Rasa's graphs, one node after the other."""

from __future__ import annotations

import pytest
from rasa.engine.exceptions import GraphRunError
from rasa.engine.graph import ExecutionContext, GraphComponent, GraphSchema, SchemaNode

from bot.brain.graph_runner import SequentialGraphRunner


class Sum(GraphComponent):
    """Adds what it is given."""

    @classmethod
    def create(cls, *_, **__):
        return cls()

    def add(self, one: int, other: int) -> int:
        return one + other


def runner(**needs: dict[str, str]) -> SequentialGraphRunner:
    schema = GraphSchema(
        {
            name: SchemaNode(
                needs=need, uses=Sum, constructor_name="create", fn="add", config={}, eager=True
            )
            for name, need in needs.items()
        }
    )
    return SequentialGraphRunner.create(schema, None, ExecutionContext(schema))


def test_each_node_runs_after_what_it_needs():
    graph = runner(
        c={"one": "b", "other": "x"}, b={"one": "a", "other": "a"}, a={"one": "x", "other": "x"}
    )
    assert graph.run({"x": 1}, ["c", "b"]) == {"c": 5, "b": 4}
    assert graph.run({"x": 2}, ["c"]) == {"c": 10}


@pytest.mark.parametrize(
    ("needs", "inputs"),
    [
        ({"a": {"one": "x", "other": "y"}}, {"x": 1}),
        ({"a": {"one": "b", "other": "x"}, "b": {"one": "a", "other": "x"}}, {"x": 1}),
    ],
)
def test_a_graph_that_cannot_run_says_so(needs, inputs):
    with pytest.raises(GraphRunError):
        runner(**needs).run(inputs, ["a"])


def test_an_input_that_is_missing_later_is_told():
    graph = runner(a={"one": "x", "other": "x"})
    graph.run({"x": 1}, ["a"])
    with pytest.raises(GraphRunError, match="needs x"):
        graph.run({}, ["a"])
