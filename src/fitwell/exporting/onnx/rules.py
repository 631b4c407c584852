"""The table of operations: what each becomes in ONNX."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from fitwell.exporting.onnx.graph import Graph
from fitwell.exporting.program import Operation, Program

Rule: TypeAlias = Callable[[Graph, Operation], Any]
"""Adds nodes for an operation; returns the name of the result, a list of several, or None if it has
named the values itself."""

RULES: dict[str, Rule] = {}


def rule(*kinds: str) -> Callable[[Rule], Rule]:
    def added(function: Rule) -> Rule:
        RULES.update(dict.fromkeys(kinds, function))
        return function

    return added


def translate(graph: Graph, program: Program) -> None:
    """Adds the operations of a program to a graph.

    Raises:
        InvalidArgument: ONNX has no such operation, or this library no rule for it.
    """
    for one in program.operations:
        graph.layer = one.layer
        if one.kind not in RULES:
            raise one.refused("operations that ONNX has", one.kind)
        found = RULES[one.kind](graph, one)
        if found is not None:
            names = [found] if isinstance(found, str) else found
            for value, name in zip(one.outs, names, strict=True):
                graph.name(value, name)
