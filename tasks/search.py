"""The tasks of one Model Swarms iteration: update velocity → merge → evaluate → track best → check early stop.

Small JSON in, small JSON out; every result is persisted under a key of its content.
"""

from prefect import task

from swarm import pso
from swarm.parameters import Parameters
from swarm.plan import Group, links, plan_groups
from swarm.population import initialise, initialise_from_earlier, recipes
from swarm.recipes import Recipe, Space
from swarm.state import State
from tasks.persistence import PERSISTENCE, Json


@task(name="initialise", **PERSISTENCE)
def initialise_swarm(parameters: Json, seed: int, experts: int) -> Json:
    """Make iteration 0: every expert a particle, the others grown by crossover."""
    return initialise(Parameters(**parameters), seed, experts).to_json()


@task(name="go on from an earlier run", **PERSISTENCE)
def continue_swarm(parameters: Json, seed: int, experts: int, found: list[list[float]]) -> Json:
    """Make iteration 0: every expert a particle, then what an earlier run found, the others grown by crossover."""
    return initialise_from_earlier(Parameters(**parameters), seed, experts, found).to_json()


@task(name="update velocity", **PERSISTENCE)
def update_velocity(parameters: Json, seed: int, state: Json) -> Json:
    """Move every particle: the next iteration, not yet evaluated."""
    return pso.ask(Parameters(**parameters), seed, State.from_json(state)).to_json()


@task(name="merge", **PERSISTENCE)
def merge(state: Json, bases: list[str], space: str, group_size: int) -> list[Json]:
    """Write the particles to be evaluated as recipes, in evaluation groups (`swarm.plan.Group`)."""
    swarm = State.from_json(state)
    all_recipes = recipes(swarm, bases, Space(space))
    evaluations = [(i, all_recipes[i]) for i, is_evaluated in enumerate(swarm.to_evaluate) if is_evaluated]
    return [group.to_json() for group in plan_groups(evaluations, group_size)]


@task(name="choose for the test", **PERSISTENCE)
def choose_for_test(chosen: list[Json], group_size: int) -> list[Json]:
    """Group the recipes that are tested after the search (starting best, ending best, ensemble), as `merge` does."""
    return [g.to_json() for g in plan_groups(list(enumerate(map(Recipe.from_json, chosen))), group_size)]


@task(name="track best", **PERSISTENCE)
def track_best(parameters: Json, state: Json, groups: list[Json], scores: list[Json]) -> Json:
    """Tell the swarm its utilities: personal bests, global best and global worst."""
    swarm = State.from_json(state)
    utilities: list[float | None] = [None] * len(swarm.to_evaluate)
    by_group = {score["group"]: score["utilities"] for score in scores}
    for link in links(list(map(Group.from_json, groups)), [score["group"] for score in scores]):
        utilities[link.particle] = by_group[link.group][link.index]
    return pso.tell(Parameters(**parameters), swarm, utilities).to_json()


@task(name="check early stop", **PERSISTENCE)
def check_early_stop(parameters: Json, state: Json) -> str | None:
    """Say why the search ends here, or None."""
    return pso.stop_reason(Parameters(**parameters), State.from_json(state))
