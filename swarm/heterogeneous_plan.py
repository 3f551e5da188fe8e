"""Which systems an iteration of Heterogeneous Swarms evaluates: a function of its state (docs/algorithms.md §2)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from swarm.arrays import Floats
from swarm.graphs import Dag
from swarm.heterogeneous_parameters import HeterogeneousParameters
from swarm.heterogeneous_state import HeterogeneousState, ModelRows
from swarm.jfk import Assignment, assignments_with_replacement, stratified_assignments
from swarm.recipes import Recipe, Space
from swarm.systems import System


@dataclass(frozen=True)
class SystemTemplate:
    """What all systems of a run have in common: the experts, the space and the roles.

    Attributes:
        bases: [m], the initial experts, in the order of the coefficients' columns.
        space: where they are combined.
        roles: [n], the instruction of each node; "" for none.

    """

    bases: tuple[str, ...]
    space: Space
    roles: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return this as plain JSON."""
        return {"bases": list(self.bases), "space": self.space.value, "roles": list(self.roles)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "SystemTemplate":
        """Read what `to_json` wrote."""
        return cls(tuple(value["bases"]), Space(value["space"]), tuple(value["roles"]))

    def system(self, dag: Dag, assignment: Assignment, coefficients: Floats) -> System:
        """Return the system in which node i's model has the coefficients [n, m] in row i."""
        recipes = tuple(Recipe(self.bases, tuple(row), self.space) for row in coefficients.tolist())
        return System(dag, recipes, self.roles, assignment)


PlannedTrial = tuple[ModelRows, Assignment]
"""A trial to make: which models (positions or personal bests), and the assignment of them to the nodes."""


def graph_systems(state: HeterogeneousState, nodes: SystemTemplate) -> tuple[System, ...]:
    """Return the systems that score the graphs: one for each graph to be evaluated, with model x_i in node i."""
    positions = state.models.positions
    own = tuple(range(len(positions)))
    graph_indices = np.flatnonzero(state.graphs.to_evaluate).tolist()
    return tuple(nodes.system(state.dags[graph], own, positions) for graph in graph_indices)


def model_systems(
    parameters: HeterogeneousParameters, seed: int, state: HeterogeneousState, nodes: SystemTemplate
) -> tuple[System, ...]:
    """Return the systems that score the models, once the graphs have utilities: one for each of `plan_trials`.

    Raises:
        ValueError: the graphs were not told.

    """
    dag = scoring_dag(parameters, state)
    return tuple(
        nodes.system(dag, assignment, rows(state, models)[list(assignment)])
        for models, assignment in plan_trials(parameters, seed, state)
    )


def best_system(state: HeterogeneousState, nodes: SystemTemplate) -> System:
    """Return the best system ever evaluated; `ValueError` if none was."""
    if state.best is None:
        raise ValueError(f"no system of iteration {state.iteration} was told")
    return nodes.system(state.best.dag, state.best.assignment, state.best.coefficients)


def scoring_dag(parameters: HeterogeneousParameters, state: HeterogeneousState) -> Dag:
    """Return the graph on which this iteration's models are scored: the best ever; in the public code, of this one.

    Raises:
        ValueError: the graphs were not told.

    """
    if not state.graphs.told or state.best_dag is None:
        raise ValueError(f"the graphs of iteration {state.iteration} were not told their utilities")
    if not parameters.reference:
        return state.best_dag
    utilities = [-np.inf if utility is None else utility for utility in state.graphs.utilities]
    return state.dags[int(np.argmax(utilities))]


def plan_trials(parameters: HeterogeneousParameters, seed: int, state: HeterogeneousState) -> tuple[PlannedTrial, ...]:
    """Return the assignments to evaluate: where the graph is another than before, personal bests first, by all models.

    The same assignments serve both, so that both meet the same luck.
    """
    assignments_of_models = assignments(parameters, seed, state.iteration, state.models.to_evaluate)
    trials: list[PlannedTrial] = [("positions", assignment) for assignment in assignments_of_models]
    if not trials or parameters.reference or state.scored_on in (None, state.best_dag):
        return tuple(trials)
    everybody = assignments(parameters, seed, state.iteration, (True,) * parameters.particles)
    return (*(("personal_bests", assignment) for assignment in everybody), *trials)


def assignments(
    parameters: HeterogeneousParameters, seed: int, iteration: int, to_evaluate: Sequence[bool]
) -> tuple[Assignment, ...]:
    """Return the M assignments of the models that are evaluated; none if no model is."""
    n, count = parameters.particles, parameters.assignments
    if parameters.reference:
        return assignments_with_replacement(seed, iteration, n, count)
    return stratified_assignments(seed, iteration, np.flatnonzero(to_evaluate).tolist(), n, count)


def rows(state: HeterogeneousState, models: ModelRows) -> Floats:
    """Return the coefficients [n, m] of the models' positions or personal bests."""
    return state.models.positions if models == "positions" else state.models.personal_bests
