import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swarm.graphs import Dag
from swarm.recipes import Recipe, Space
from swarm.systems import System


@st.composite
def in_trees(draw, most=32):
    """Any in-tree: each node but the first, in an arbitrary order, goes to one that came before it."""
    n = draw(st.integers(2, most))
    order = draw(st.permutations(range(n)))
    successor: list[int | None] = [None] * n
    for place in range(1, n):
        successor[order[place]] = order[draw(st.integers(0, place - 1))]
    return Dag(tuple(successor))


@given(in_trees())
def test_every_node_answers_after_its_predecessors_and_the_end_node_last_and_alone(dag):
    place = {node: i for i, node in enumerate(dag.order)}
    assert sorted(dag.order) == list(range(len(dag.successor)))
    assert dag.levels[-1] == (dag.end,) and dag.successor[dag.end] is None
    for node, before in enumerate(dag.predecessors):
        assert all(dag.successor[one] == node and place[one] < place[node] for one in before)
        assert list(before) == sorted(before)
    assert sum(map(len, dag.predecessors)) == len(dag.successor) - 1


@given(in_trees())
def test_a_node_answers_as_early_as_it_can(dag):
    level = {node: i for i, nodes in enumerate(dag.levels) for node in nodes}
    for node, before in enumerate(dag.predecessors):
        assert level[node] == 1 + max((level[one] for one in before), default=-1)
    assert dag.depth == len(dag.levels) == 1 + max(level.values())


@given(in_trees())
def test_a_graph_survives_json(dag):
    assert Dag.from_json(json.loads(json.dumps(dag.to_json()))) == dag


def test_a_star_has_two_levels_and_a_chain_one_a_node():
    assert Dag((2, 2, None)).levels == ((0, 1), (2,))
    assert Dag((1, 2, None)).levels == ((0,), (1,), (2,))


@pytest.mark.parametrize(
    ("successor", "said"),
    [
        ((None,), "2 to 32 nodes, not 1"),
        ((None,) + (0,) * 32, "2 to 32 nodes, not 33"),
        ((None, None), "exactly one end node, not 2"),
        ((1, 0), "exactly one end node, not 0"),
        ((1, 0, None), "without cycles"),
        ((0, None), "without cycles"),
        ((2, None), "node 0 is followed by 2"),
        ((-1, None), "node 0 is followed by -1"),
        (("1", None), "node 0 is followed by '1'"),
        ((True, None), "node 0 is followed by True"),
        ((1.0, None), "node 0 is followed by 1.0"),
    ],
)
def test_what_is_no_in_tree_is_refused(successor, said):
    with pytest.raises(ValueError, match=said):
        Dag(successor)


RECIPES = tuple(Recipe(("a", "b"), (float(i), 1.0 - i), Space.PRODUCT) for i in range(3))


def test_systems_that_compute_the_same_have_the_same_key_whatever_their_models_are_called():
    one = System(Dag((2, 2, None)), RECIPES, ("", "", "Check."), (0, 1, 2))
    other = System(Dag((2, 2, None)), RECIPES, ("", "", "Check."), (2, 1, 0))
    assert one == other and one.key == other.key and hash(one) == hash(other)
    assert one.to_json() != other.to_json()


@pytest.mark.parametrize(
    "change",
    [{"dag": Dag((1, 2, None))}, {"recipes": RECIPES[::-1]}, {"roles": ("", "Check.", "")}],
    ids=lambda change: next(iter(change)),
)
def test_systems_that_compute_something_else_have_another_key(change):
    values = {"dag": Dag((2, 2, None)), "recipes": RECIPES, "roles": ("", "", "Check."), "assignment": (0, 1, 2)}
    assert System(**values).key != System(**{**values, **change}).key


def test_a_system_survives_json():
    system = System(Dag((2, 2, None)), RECIPES, ("", "", "Check."), (0, 1, 0))
    read = System.from_json(json.loads(json.dumps(system.to_json())))
    assert read == system and read.assignment == system.assignment and read.key == system.key


@pytest.mark.parametrize(
    ("recipes", "roles", "assignment"),
    [
        (RECIPES[:2], ("",) * 3, (0, 1, 2)),
        (RECIPES, ("",) * 2, (0, 1, 2)),
        (RECIPES, ("",) * 3, (0, 1)),
        (RECIPES, ("",) * 3, (0, 1, 3)),
        (RECIPES, ("",) * 3, (0, 1, -1)),
    ],
)
def test_a_system_that_does_not_fit_its_graph_is_refused(recipes, roles, assignment):
    with pytest.raises(ValueError, match="a system of 3 nodes has"):
        System(Dag((2, 2, None)), recipes, roles, assignment)
