import pytest

from infra.systems.contributions import contributions, parts_of
from infra.systems.nodes import Nodes, ending_at, levels, nodes_of, single, without
from swarm.graphs import Dag
from swarm.recipes import Recipe, Space
from swarm.systems import System
from tests.infra.systems.system_samples import CHAIN, NO_ROLES, STAR, TREE


def system(dag: Dag) -> System:
    recipes = tuple(Recipe(("a",), (float(node),), Space.FACTORS) for node in range(len(dag.successor)))
    return System(dag, recipes, NO_ROLES, tuple(range(4)))


def shape(nodes: Nodes) -> list[tuple[int, list[int]]]:
    """Return each node's number and those of whom it reads."""
    number = [int(node.recipe.coefficients[0]) for node in nodes]
    return [(number[index], [number[sources] for sources in node.reads]) for index, node in enumerate(nodes)]


def test_nodes_come_in_topological_order_and_read_in_the_order_of_their_numbers() -> None:
    turned = Dag((None, 3, 3, 0))  # 1 and 2 are read by 3, that by 0
    assert shape(nodes_of(system(turned))) == [(1, []), (2, []), (3, [1, 2]), (0, [3])]
    assert shape(nodes_of(system(STAR))) == [(0, []), (1, []), (2, []), (3, [0, 1, 2])]
    assert levels(nodes_of(system(TREE))) == (0, 0, 1, 2)


def test_every_node_has_its_own_share_of_a_long_context() -> None:
    assert [(node.share, node.shares) for node in nodes_of(system(CHAIN))] == [(0, 4), (1, 4), (2, 4), (3, 4)]


def test_without_a_node_its_successor_reads_what_it_had_read() -> None:
    tree = nodes_of(system(TREE))
    assert shape(without(tree, 2)) == [(0, []), (1, []), (3, [0, 1])]
    assert shape(without(tree, 0)) == [(1, []), (2, [1]), (3, [2])]
    assert shape(without(nodes_of(system(CHAIN)), 1)) == [(0, []), (2, [0]), (3, [2])]
    assert [node.share for node in without(tree, 0)] == [1, 2, 3]


def test_nothing_is_left_to_answer_without_the_end_node() -> None:
    with pytest.raises(ValueError, match="end node"):
        without(nodes_of(system(STAR)), 3)


def test_a_part_ends_where_it_is_told_and_holds_what_that_depends_on() -> None:
    assert shape(ending_at(nodes_of(system(TREE)), 2)) == [(0, []), (1, []), (2, [0, 1])]
    assert shape(ending_at(nodes_of(system(STAR)), 1)) == [(1, [])]
    assert single(Recipe(("a",), (1.0,), Space.FACTORS))[0].reads == ()


def test_a_contribution_is_the_drop_without_the_node() -> None:
    parts = parts_of(system(TREE))  # without 0, 1, 2; ending at 2
    assert [part.record["part"] for part in parts] == [*(f"without node {i}" for i in range(3)), "ending at node 2"]
    assert contributions(system(TREE), 0.75, [0.5, 0.875, 0.75, 0.25]) == (0.25, -0.125, 0.0, 0.5)
    assert contributions(system(STAR), 0.5, [0.5, 0.5, 0.5, 0.25, 0.375, 0.125]) == (0.0, 0.0, 0.0, 0.125)
