"""The picture of a system: its graph from left to right, with each node's model, role and contribution."""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from infra.systems.names import recipe_name
from swarm.graphs import Dag
from swarm.systems import System

WIDTH, HEIGHT = 204, 106
"""Those of a node's box, in pixels."""
_GAP_X, _GAP_Y, _MARGIN = 40, 20, 4
_LETTERS = 24
"""The number of letters in a line of a box."""


@dataclass(frozen=True)
class Box:
    """A node as it is drawn.

    Attributes:
        node: its number.
        end: whether its answer is the system's.
        x: the left edge, in pixels.
        y: the top edge.
        model: what its model is made of, as lines.
        role: the instruction that it reads first, shortened; "" for none.
        title: everything in words, for those who point at it or have it read to them.
        contribution: how much worse the system is on dev without it.
        share: that as a share, −1 … 1, of the largest of all nodes.

    """

    node: int
    end: bool
    x: int
    y: int
    model: tuple[str, ...]
    role: str
    title: str
    contribution: float
    share: float


@dataclass(frozen=True)
class GraphPicture:
    """A drawing of `width` × `height` pixels: boxes, and the arrows between them as paths of SVG."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    arrows: tuple[str, ...]

    @property
    def box(self) -> tuple[int, int]:
        """The width and the height of every box."""
        return WIDTH, HEIGHT


def graph_picture(system: System, names: Mapping[str, str], contributions: Sequence[float]) -> GraphPicture:
    """Return the drawing of `system`.

    Args:
        system: what is drawn.
        names: the experts' names by their content hashes.
        contributions: [n], by node.

    """
    places = _places(system.dag)
    largest = max(map(abs, contributions)) or 1.0
    boxes = tuple(
        _box(node, system, names, contributions[node], contributions[node] / largest, *places[node])
        for node in range(len(places))
    )
    arrows = tuple(
        _arrow(boxes[node], boxes[after]) for node, after in enumerate(system.dag.successor) if after is not None
    )
    right, bottom = max(box.x for box in boxes), max(box.y for box in boxes)
    return GraphPicture(right + WIDTH + _MARGIN, bottom + HEIGHT + _MARGIN, boxes, arrows)


def _places(dag: Dag) -> list[tuple[int, int]]:
    """Return the top left corner of each node: sources in rows of their own, others amid what they read.

    An in-tree drawn so has no crossing arrows: columns are steps to the end node, which stands on the right.
    """
    steps, rows, free = {dag.end: 0}, dict[int, float](), iter(range(len(dag.successor)))
    for node in reversed(dag.order):
        for before in dag.predecessors[node]:
            steps[before] = steps[node] + 1

    def row_of(node: int) -> float:
        rows_of_sources = [row_of(before) for before in dag.predecessors[node]]
        rows[node] = (rows_of_sources[0] + rows_of_sources[-1]) / 2 if rows_of_sources else float(next(free))
        return rows[node]

    row_of(dag.end)
    columns = max(steps.values())
    return [
        (
            _MARGIN + (columns - steps[node]) * (WIDTH + _GAP_X),
            _MARGIN + round(rows[node] * (HEIGHT + _GAP_Y)),
        )
        for node in range(len(dag.successor))
    ]


def _box(node: int, system: System, names: Mapping[str, str], contribution: float, share: float, x: int, y: int) -> Box:
    recipe, role = system.recipes[node], " ".join(system.roles[node].split())
    coefficients = {
        names.get(key, key[:8]): value for key, value in zip(recipe.bases, recipe.coefficients, strict=True)
    }
    model, end = recipe_name(coefficients), node == system.dag.end
    title = f"Node {node}{', the end node' if end else ''}: model {system.assignment[node]}, {model}"
    title += f". Role: {role}" if role else ""
    lines = tuple(textwrap.wrap(model, _LETTERS, max_lines=2, placeholder=" …", break_on_hyphens=False))
    return Box(
        node, end, x, y, lines, textwrap.shorten(role, _LETTERS + 3, placeholder=" …"), title, contribution, share
    )


def _arrow(start: Box, end: Box) -> str:
    x, y = start.x + WIDTH, start.y + HEIGHT // 2
    to_x, to_y = end.x - 7, end.y + HEIGHT // 2
    bend = (to_x - x) // 2
    return f"M{x} {y}C{x + bend} {y} {to_x - bend} {to_y} {to_x} {to_y}"
