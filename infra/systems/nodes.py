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
        reads: the nodes whose answers it reads, as indices of `Nodes`, in the order in which they are numbered; all
            before its own index.
        share: the number of the part of a long context that it reads, from 0.
        shares: the number of parts of a long context: one for each node of the whole system.

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
    indices = {node: index for index, node in enumerate(order)}
    return tuple(
        Node(
            system.recipes[node],
            system.roles[node],
            tuple(indices[before] for before in system.dag.predecessors[node]),
            indices[node],
            len(order),
        )
        for node in order
    )


def single(recipe: Recipe) -> Nodes:
    """Return the one node of a model that answers alone."""
    return (Node(recipe, "", (), 0, 1),)


def without(nodes: Nodes, target: int) -> Nodes:
    """Return `nodes` without the node `target`: the nodes that read its answer read its predecessors' answers instead.

    Raises:
        ValueError: `target` is the end node: nobody would answer.

    """
    if target == len(nodes) - 1:
        raise ValueError("a system can't do without its end node")
    passed_on = nodes[target].reads
    heirs = [tuple(r for source in n.reads for r in (passed_on if source == target else (source,))) for n in nodes]
    new_nodes = tuple(replace(node, reads=reads) for node, reads in zip(nodes, heirs, strict=True))
    return _select(new_nodes, [index for index in range(len(nodes)) if index != target])


def ending_at(nodes: Nodes, target: int) -> Nodes:
    """Return the part of `nodes` that the answer of the node `target` depends on."""
    kept_indices = {target}
    for index in range(target, -1, -1):
        kept_indices |= set(nodes[index].reads) if index in kept_indices else set()
    return _select(nodes, sorted(kept_indices))


def levels(nodes: Nodes) -> tuple[int, ...]:
    """Return each node's level: how many answers, one after another, must exist before it can answer."""
    depth: list[int] = []
    for node in nodes:
        depth.append(1 + max((depth[before] for before in node.reads), default=-1))
    return tuple(depth)


def _select(nodes: Nodes, indices: list[int]) -> Nodes:
    new_index = {old: new for new, old in enumerate(indices)}
    return tuple(replace(nodes[old], reads=tuple(new_index[source] for source in nodes[old].reads)) for old in indices)
