"""The graph of a system of models: an in-tree (Heterogeneous Swarms, arXiv 2502.04510, §2; docs/algorithms.md §2)."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

MIN_NODES, MAX_NODES = 2, 32
"""How many nodes a graph may have."""


@dataclass(frozen=True)
class Dag:
    """An in-tree over n nodes: every node has exactly one outgoing edge, except the end node, which has none.

    Whatever is a `Dag` is valid: anything else raises `ValueError`.

    Attributes:
        successor: [n]; where each node's answer goes; None for the end node, whose answer is the system's.

    """

    successor: tuple[int | None, ...]

    def __post_init__(self) -> None:
        n = len(self.successor)
        if not MIN_NODES <= n <= MAX_NODES:
            raise ValueError(f"a graph has {MIN_NODES} to {MAX_NODES} nodes, not {n}")
        if self.successor.count(None) != 1:
            raise ValueError(f"a graph has exactly one end node, not {self.successor.count(None)}: {self.successor}")
        for node, after in enumerate(self.successor):
            if after is not None and (not _is_whole(after) or not 0 <= after < n):
                raise ValueError(f"node {node} is followed by {after!r}, which is none of the nodes 0 to {n - 1}")
        if len(self.order) != n:
            raise ValueError(f"a graph without cycles was expected, not {self.successor}")

    @property
    def end(self) -> int:
        """The node whose answer is the system's."""
        return self.successor.index(None)

    @cached_property
    def predecessors(self) -> tuple[tuple[int, ...], ...]:
        """[n], the nodes whose answers each node reads, ascending; () for a source."""
        return tuple(
            tuple(before for before, after in enumerate(self.successor) if after == node)
            for node in range(len(self.successor))
        )

    @cached_property
    def levels(self) -> tuple[tuple[int, ...], ...]:
        """Nodes that can answer at the same time, ascending: the sources first, the end node alone in the last one."""
        waiting = [len(before) for before in self.predecessors]
        level = tuple(node for node, count in enumerate(waiting) if count == 0)
        levels: list[tuple[int, ...]] = []
        while level:
            levels.append(level)
            ready = []
            for after in (self.successor[node] for node in level):
                if after is not None:
                    waiting[after] -= 1
                    ready += [after] if waiting[after] == 0 else []
            level = tuple(sorted(ready))
        return tuple(levels)

    @property
    def order(self) -> tuple[int, ...]:
        """The nodes in topological order: level by level, ascending within a level."""
        return tuple(node for level in self.levels for node in level)

    @property
    def depth(self) -> int:
        """How many levels there are: 2 for a star, n for a chain."""
        return len(self.levels)

    def to_json(self) -> dict[str, Any]:
        """Return this graph as plain JSON."""
        return {"successor": list(self.successor)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Dag":
        """Read what `to_json` wrote.

        Raises:
            KeyError, TypeError or ValueError: `value` is no graph.

        """
        return cls(tuple(value["successor"]))


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
