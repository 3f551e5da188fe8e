"""The tasks of one Heterogeneous Swarms iteration: evaluate graphs → track graphs → evaluate models → track best.

Small JSON in, small JSON out; every result is persisted under a key of its content.
"""

from collections.abc import Sequence
from typing import Any

from prefect import task

from data.examples import Split
from infra.configs.systems import SystemConfig
from infra.run.open_run import OpenRun
from infra.systems.artefact import save_system
from infra.systems.contributions import parts_of
from infra.systems.group import SystemGroup, group_of, savings_of
from swarm import heterogeneous
from swarm.heterogeneous_parameters import HeterogeneousParameters
from swarm.heterogeneous_plan import SystemTemplate, graph_systems, model_systems
from swarm.heterogeneous_population import initialise
from swarm.heterogeneous_state import HeterogeneousState
from swarm.systems import System
from tasks.evaluation import EVALUATION
from tasks.persistence import NO_RESULT, PERSISTENCE, Json


@task(name="initialise", **PERSISTENCE)
def initialise_swarms(parameters: Json, seed: int, experts: int) -> Json:
    """Make iteration 0: random graphs, and the experts grown to the models."""
    return initialise(HeterogeneousParameters(**parameters), seed, experts).to_json()


@task(name="update velocity", **PERSISTENCE)
def update_velocities(parameters: Json, seed: int, state: Json) -> Json:
    """Move every graph and every model, and decode the graphs: the next iteration, not yet evaluated."""
    next_state = heterogeneous.ask(HeterogeneousParameters(**parameters), seed, HeterogeneousState.from_json(state))
    return next_state.to_json()


@task(name="put models into graphs", **PERSISTENCE)
def plan_graphs(state: Json, nodes: Json) -> list[Json]:
    """Write the systems that the graphs are evaluated by: every model in its own place."""
    plans = graph_systems(HeterogeneousState.from_json(state), SystemTemplate.from_json(nodes))
    return [system.to_json() for system in plans]


@task(name="track graphs", **PERSISTENCE)
def track_graphs(parameters: Json, state: Json, score: Json) -> Json:
    """Tell the graphs their utilities: personal bests, global best and worst, and the best graph's nodes and edges."""
    now = HeterogeneousState.from_json(state)
    return heterogeneous.tell_graphs(HeterogeneousParameters(**parameters), now, score["utilities"]).to_json()


@task(name="assign models", **PERSISTENCE)
def plan_models(parameters: Json, seed: int, state: Json, nodes: Json) -> list[Json]:
    """Write the systems that the models are scored by: assignments of them to the nodes of the best graph."""
    now = HeterogeneousState.from_json(state)
    plans = model_systems(HeterogeneousParameters(**parameters), seed, now, SystemTemplate.from_json(nodes))
    return [system.to_json() for system in plans]


@task(name="track best", **PERSISTENCE)
def track_models(parameters: Json, seed: int, state: Json, score: Json) -> Json:
    """Tell the models their scores (JFK): personal bests, global best and worst, and the best system so far."""
    now = HeterogeneousState.from_json(state)
    return heterogeneous.tell_models(HeterogeneousParameters(**parameters), seed, now, score["utilities"]).to_json()


@task(name="check early stop", **PERSISTENCE)
def check_end(parameters: Json, state: Json) -> str | None:
    """Say why the search ends here, or None."""
    return heterogeneous.stop_reason(HeterogeneousParameters(**parameters), HeterogeneousState.from_json(state))


@task(name="evaluate systems", **EVALUATION)
def evaluate_systems(
    run: OpenRun[Any, Any], systems: list[Json], prompts: Json, split: Split, after: Sequence[str]
) -> Json:
    """Evaluate systems together; their scores are committed to the records before this returns.

    Returns {"group": its key in the records, "utilities": one a system, "saved": what sharing answers saved}.
    """
    group = group_of([System.from_json(system) for system in systems], SystemConfig(**prompts), split, after)
    return _evaluate(run, group)


@task(name="evaluate parts", **EVALUATION)
def evaluate_parts(run: OpenRun[Any, Any], system: Json, prompts: Json) -> Json:
    """Evaluate a system without each of its nodes; the scores are committed to the records before this returns."""
    return _evaluate(run, SystemGroup(tuple(parts_of(System.from_json(system))), SystemConfig(**prompts), "dev"))


@task(name="publish best", **NO_RESULT)
def publish_system(run: OpenRun[Any, Any], system: Json, prompts: Json) -> str:
    """Write the best system to the run's folder; return the SHA-256 of its file. Never cached: it makes files."""
    return save_system(run.folder.best, System.from_json(system), run.inputs, SystemConfig(**prompts))


def _evaluate(run: OpenRun[Any, Any], group: SystemGroup) -> Json:
    score = run.groups.evaluate(group)
    return {**score, "saved": savings_of(run.records, score["group"])}
