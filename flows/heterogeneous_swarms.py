"""Heterogeneous Swarms (arXiv 2502.04510) as a Prefect flow: the order of things, and nothing else.

Each iteration is a DAG of tasks: update velocity → put models into graphs → evaluate systems → track graphs →
assign models → evaluate systems → track best → check early stop.
"""

from collections.abc import Sequence
from typing import Any

from prefect import flow
from prefect.client.schemas import State as FlowState
from prefect.futures import PrefectFuture
from prefect.states import Cancelled

from data.examples import Split
from flows.evaluation_groups import RUNNER, evaluate_groups, evaluation_links, wait_for_scores
from flows.searches import SEARCHES
from infra.evaluation.groups import StopRequested
from infra.records.values import EvaluationRecord, Purpose
from infra.run.open_run import OpenRun
from infra.searches.experts import read_experts
from infra.searches.heterogeneous_swarms.config import HeterogeneousSwarmsConfig
from infra.searches.heterogeneous_swarms.outcome import (
    SystemFinalists,
    SystemOutcome,
    SystemRun,
    SystemTest,
    choose_finalists,
    expert_recipes,
    nodes_of,
)
from infra.searches.heterogeneous_swarms.view import heterogeneous_view
from swarm.heterogeneous_plan import best_system
from swarm.heterogeneous_state import HeterogeneousState
from swarm.plan import Link
from swarm.recipes import Recipe
from tasks.artifacts import LiveArtifacts
from tasks.heterogeneous import (
    check_end,
    evaluate_parts,
    evaluate_systems,
    initialise_swarms,
    plan_graphs,
    plan_models,
    publish_system,
    track_graphs,
    track_models,
    update_velocities,
)
from tasks.persistence import Json, submit
from tasks.publish import write_run_report
from tasks.search import choose_for_test

NO_SCORE: Json = {"group": None, "utilities": []}
"""The score of no systems: all were dropped."""


@flow(name="heterogeneous-swarms", flow_run_name="{config.name}", task_runner=RUNNER, persist_result=False)
def heterogeneous_swarms(config: HeterogeneousSwarmsConfig) -> dict[str, Any] | FlowState[Any]:
    """Search for the best system of models and its graph, test it, and publish it; started again, it goes on.

    Returns the run's summary, or a cancelled state if somebody asked the run to stop.
    """
    try:
        with OpenRun(config, read_experts) as run:
            final, stopped_by = search(run)
            return conclude(run, final, stopped_by)
    except StopRequested as stop:
        return Cancelled(message=str(stop))


def search(run: SystemRun) -> tuple[HeterogeneousState, str]:
    """Iterate until the search says why it stops; return its last state and that reason."""
    seed, experts, nodes = run.config.seed, len(run.inputs.bases), nodes_of(run.config, run.inputs.bases)
    parameters = run.config.search.parameters(len(nodes.roles)).to_json()
    live = LiveArtifacts(run.config.name)
    next_state = submit(run, initialise_swarms, parameters, seed, experts)
    while True:
        next_state.wait()  # else Prefect asks its server for the state of an unfinished argument
        systems_of_graphs = submit(run, plan_graphs, next_state, nodes.to_json())
        graph_score = evaluate(run, systems_of_graphs, "dev")
        graphs_future = submit(run, track_graphs, parameters, next_state, graph_score)
        systems_of_models = submit(run, plan_models, parameters, seed, graphs_future, nodes.to_json())
        model_score = evaluate(run, systems_of_models, "dev", after=keys([graph_score]))
        state_future = submit(run, track_models, parameters, seed, graphs_future, model_score)
        state = HeterogeneousState.from_json(state_future.result())
        reason = submit(run, check_end, parameters, state_future)
        view = heterogeneous_view(state, run.config.iterations, run.config.search.patience, run.inputs.names)
        run.save(state, places(state, graph_score, model_score), view)
        stopped_by = reason.result()
        live.update(view, last=stopped_by is not None)
        if stopped_by is not None:
            return state, stopped_by
        next_state = submit(run, update_velocities, parameters, seed, state_future)


def conclude(run: SystemRun, final: HeterogeneousState, stopped_by: str) -> dict[str, Any]:
    """Test the best expert, the best system and its models; publish the system; write summary and report."""
    best = best_system(final, nodes_of(run.config, run.inputs.bases))
    prompts = run.config.system.model_dump(mode="json")
    experts, last = expert_recipes(run), final.iteration
    run.observer.phase("testing")
    finalists = choose_finalists(experts, alone(run, last, experts, "dev", [Purpose.EXPERT] * len(experts)), best)
    test_result = test(run, last, finalists)
    parts = submit(run, evaluate_parts, run, best.to_json(), prompts).result()
    run.groups.link(last, Purpose.CONTRIBUTION, [Link(i, parts["group"], i) for i in range(len(parts["utilities"]))])
    sha256 = publish_system.submit(run, best.to_json(), prompts).result()
    run.flush_timings(last)
    summary = SystemOutcome(run, final, finalists, test_result).summary(stopped_by, parts["utilities"], sha256)
    run.finish(stopped_by, summary)
    write_run_report.submit(run, SEARCHES.of(run.config).report).result()
    return summary


def test(run: SystemRun, iteration: int, finalists: SystemFinalists) -> SystemTest:
    """Evaluate the finalists on the test split, which nothing has read before."""
    purposes = [Purpose.STARTING_BEST, *[Purpose.COMPONENT] * len(finalists.components)]
    first, *components = alone(run, iteration, [finalists.starting_best, *finalists.components], "test", purposes)
    score = evaluate(run, [finalists.best.to_json()], "test")
    link = Link(0, keys([score])[0], 0)
    run.groups.link(iteration, Purpose.ENDING_BEST, [link])
    return SystemTest(first, run.evaluation(link), tuple(components))


def alone(
    run: SystemRun, iteration: int, models: Sequence[Recipe], split: Split, purposes: Sequence[Purpose]
) -> list[EvaluationRecord]:
    """Evaluate models that answer alone, each for its purpose."""
    size = run.config.engine.group_size
    groups = submit(run, choose_for_test, [model.to_json() for model in models], size)
    links = sorted(evaluation_links(groups, evaluate_groups(run, groups, split)), key=lambda link: link.particle)
    for purpose in dict.fromkeys(purposes):
        run.groups.link(iteration, purpose, [link for link in links if purposes[link.particle] is purpose])
    return [run.evaluation(link) for link in links]


def evaluate(
    run: SystemRun, systems: PrefectFuture[list[Json]] | list[Json], split: Split, after: Sequence[str] = ()
) -> PrefectFuture[Json] | Json:
    """Evaluate systems as one group; answers of nodes in the groups `after` are used again."""
    if not (systems if isinstance(systems, list) else systems.result()):
        return NO_SCORE
    prompts = run.config.system.model_dump(mode="json")
    return wait_for_scores([submit(run, evaluate_systems, run, systems, prompts, split, list(after))])[0]


def keys(scores: Sequence[PrefectFuture[Json] | Json]) -> list[str]:
    """Return the keys of the groups that were evaluated."""
    results = [score if isinstance(score, dict) else score.result() for score in scores]
    return [score["group"] for score in results if score["group"] is not None]


def places(
    state: HeterogeneousState, graph_score: PrefectFuture[Json] | Json, model_score: PrefectFuture[Json] | Json
) -> list[Link]:
    """Return where in the records each evaluation is: the graphs', then, numbered after them, the assignments'."""
    count = len(state.dags)
    graphs = [graph for graph, is_evaluated in enumerate(state.graphs.to_evaluate) if is_evaluated]
    trials = range(count, count + len(state.trials))
    return [
        Link(particle, group, index)
        for particles, score in ((graphs, graph_score), (trials, model_score))
        for group in keys([score])
        for index, particle in enumerate(particles)
    ]
