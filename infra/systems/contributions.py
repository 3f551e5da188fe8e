"""The contribution of each node: how much worse the system is on dev without it (leave-one-out)."""

from collections.abc import Sequence
from typing import Any

from infra.systems.group import Candidate
from infra.systems.nodes import ending_at, nodes_of, without
from swarm.systems import System


def parts_of(system: System) -> list[Candidate]:
    """Return what has to be evaluated for `contributions`, in its order.

    - for every node but the end node: the system without it, whose successor reads what it had read;
    - for every predecessor of the end node: the part of the system that ends there, as nobody can stand in for the
      end node itself.
    """
    nodes = nodes_of(system)
    without_nodes = [
        (f"without node {system.dag.order[index]}", without(nodes, index)) for index in range(len(nodes) - 1)
    ]
    ends = [(f"ending at node {system.dag.order[index]}", ending_at(nodes, index)) for index in nodes[-1].reads]
    return [
        Candidate(candidate, {"part": part, "system": system.to_json()}) for part, candidate in (*without_nodes, *ends)
    ]


def contributions(system: System, whole: float, parts: Sequence[float]) -> tuple[float, ...]:
    """Return [n], by node: the utility of the `whole` system minus that without the node.

    Without the end node the best of its predecessors would answer.

    Args:
        system: the system.
        whole: its utility.
        parts: those of `parts_of(system)`.

    """
    order = system.dag.order
    others = len(order) - 1
    drops = {node: whole - utility for node, utility in zip(order[:others], parts[:others], strict=True)}
    drops[system.dag.end] = whole - max(parts[others:])
    return tuple(drops[node] for node in range(len(order)))


def describe(system: System, values: Sequence[float]) -> list[dict[str, Any]]:
    """Return one JSON object a node for the run's summary: what it is and what it contributes."""
    return [
        {
            "node": node,
            "successor": system.dag.successor[node],
            "model": system.assignment[node],
            "role": system.roles[node],
            "contribution": values[node],
        }
        for node in range(len(values))
    ]
