"""A system as it is run: its nodes in the order in which they answer."""

from dataclasses import dataclass, replace

from swarm.recipes import Recipe
from swarm.systems import System


@dataclass(frozen=True)
class Node:
    """One node.

    Attributes:
        recipe: its model.
        role: an instruction that it reads first; "" for none.
        reads: whose answers it reads, as their places in `Nodes`, in the order in which they are numbered; all before
            its own place.
        share: which of the shares of a long context it reads, from 0.
        shares: into how many a long context is shared out: one a node of the whole system.

    """

    recipe: Recipe
    role: str
    reads: tuple[int, ...]
    share: int
    shares: int


Nodes = tuple[Node, ...]
"""One node or more in topological order; the last one's answer is the system's."""


def nodes_of(system: System) -> Nodes:
    """Return the nodes of `system`; answers are numbered by their nodes' numbers in its graph."""
    order = system.dag.order
    place = {node: index for index, node in enumerate(order)}
    return tuple(
        Node(
            system.recipes[node],
            system.roles[node],
            tuple(place[before] for before in system.dag.predecessors[node]),
            place[node],
            len(order),
        )
        for node in order
    )


def single(recipe: Recipe) -> Nodes:
    """Return the one node of a model that answers alone."""
    return (Node(recipe, "", (), 0, 1),)


def without(nodes: Nodes, place: int) -> Nodes:
    """Return what is left of `nodes` without the one at `place`: who read its answer reads what it had read.

    Raises:
        ValueError: it is the last one: nobody would answer.

    """
    if place == len(nodes) - 1:
        raise ValueError("a system can't do without its end node")
    passed_on = nodes[place].reads
    heirs = [tuple(r for read in n.reads for r in (passed_on if read == place else (read,))) for n in nodes]
    rewired = tuple(replace(node, reads=reads) for node, reads in zip(nodes, heirs, strict=True))
    return _kept(rewired, [index for index in range(len(nodes)) if index != place])


def ending_at(nodes: Nodes, place: int) -> Nodes:
    """Return the part of `nodes` that the answer of the one at `place` depends on."""
    needed = {place}
    for index in range(place, -1, -1):
        needed |= set(nodes[index].reads) if index in needed else set()
    return _kept(nodes, sorted(needed))


def levels(nodes: Nodes) -> tuple[int, ...]:
    """Return how many answers have to be waited for, one after another, before each node can answer."""
    depth: list[int] = []
    for node in nodes:
        depth.append(1 + max((depth[before] for before in node.reads), default=-1))
    return tuple(depth)


def _kept(nodes: Nodes, places: list[int]) -> Nodes:
    moved = {old: new for new, old in enumerate(places)}
    return tuple(replace(nodes[old], reads=tuple(moved[read] for read in nodes[old].reads)) for old in places)
