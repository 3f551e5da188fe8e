"""Model Swarms (arXiv 2410.11163) as a Prefect flow: the order of things, and nothing else.

Each iteration is a DAG of tasks: update velocity → merge → evaluate (a task per group) → track best → check early stop.
"""

from dataclasses import asdict
from typing import Any

from prefect import flow
from prefect.client.schemas import State as FlowState
from prefect.futures import PrefectFuture
from prefect.states import Cancelled

from flows.evaluation_groups import RUNNER, evaluate_groups, evaluation_links
from flows.searches import SEARCHES
from infra.evaluation.groups import StopRequested
from infra.records.values import EvaluationRecord
from infra.run.open_run import OpenRun
from infra.searches.model_swarms.config import ModelSwarmsConfig
from infra.searches.model_swarms.inputs import SwarmRun, read_inputs
from infra.searches.model_swarms.outcome import Outcome, SwarmFinalists, choose_finalists
from infra.searches.model_swarms.view import model_swarms_view
from swarm.recipes import Recipe
from swarm.state import State
from tasks.artifacts import LiveArtifacts
from tasks.persistence import Json, submit
from tasks.publish import publish_best, write_run_report
from tasks.search import (
    check_early_stop,
    choose_for_test,
    continue_swarm,
    initialise_swarm,
    merge,
    track_best,
    update_velocity,
)


@flow(name="model-swarms", flow_run_name="{config.name}", task_runner=RUNNER, persist_result=False)
def model_swarms(config: ModelSwarmsConfig) -> dict[str, Any] | FlowState[Any]:
    """Search for the best combination of the experts, test it, and publish it; started again, it goes on.

    Returns the run's summary, or a cancelled state if somebody asked the run to stop.
    """
    try:
        with OpenRun(config, read_inputs) as run:
            final, stopped_by = search(run)
            return conclude(run, final, stopped_by)
    except StopRequested as stop:
        return Cancelled(message=str(stop))


def search(run: SwarmRun) -> tuple[State, str]:
    """Iterate until the search says why it stops; return its last state and that reason."""
    parameters, seed = asdict(run.config.search.parameters()), run.config.seed
    bases, space, size = list(run.inputs.bases), run.config.space.value, run.config.engine.group_size
    live = LiveArtifacts(run.config.name)
    next_state = begin(run, parameters)
    while True:
        next_state.wait()  # else Prefect asks its server for the state of an unfinished argument
        groups = submit(run, merge, next_state, bases, space, size)
        scores = evaluate_groups(run, groups, "dev")
        state_future = submit(run, track_best, parameters, next_state, groups, scores)
        state = State.from_json(state_future.result())
        reason = submit(run, check_early_stop, parameters, state_future)
        view = model_swarms_view(state, run.config, run.inputs.names)
        run.save(state, evaluation_links(groups, scores), view)
        stopped_by = reason.result()
        live.update(view, last=stopped_by is not None)
        if stopped_by is not None:
            return state, stopped_by
        next_state = submit(run, update_velocity, parameters, seed, state_future)


def begin(run: SwarmRun, parameters: Json) -> PrefectFuture[Json]:
    """Make iteration 0: anew from the experts, or with what an earlier run found among them."""
    seed, experts, earlier = run.config.seed, len(run.inputs.bases), run.inputs.warm_start
    if earlier is None:
        return submit(run, initialise_swarm, parameters, seed, experts)
    return submit(run, continue_swarm, parameters, seed, experts, [list(row) for row in earlier.positions])


def conclude(run: SwarmRun, final: State, stopped_by: str) -> dict[str, Any]:
    """Test the starting best, the ending best and the ensemble; publish the best; write summary and report."""
    initial = State.from_json(run.state(0))
    finalists = choose_finalists(run, initial, final)
    test_evaluations = test(run, final.iteration, finalists)
    sha256 = publish_best.submit(run, finalists.ending_best.to_json()).result()
    run.flush_timings(final.iteration)
    summary = Outcome(run, final, finalists, test_evaluations).summary(stopped_by, initial, sha256)
    run.finish(stopped_by, summary)
    write_run_report.submit(run, SEARCHES.of(run.config).report).result()
    return summary


def test(run: SwarmRun, iteration: int, finalists: SwarmFinalists) -> dict[Recipe, EvaluationRecord]:
    """Evaluate the finalists on the test split, which nothing has read before."""
    run.observer.phase("testing")
    recipes = finalists.recipes()
    purposes = finalists.purposes()
    groups = submit(run, choose_for_test, [r.to_json() for r in recipes], run.config.engine.group_size)
    links = evaluation_links(groups, evaluate_groups(run, groups, "test"))
    for purpose in dict.fromkeys(purposes):
        run.groups.link(iteration, purpose, [link for link in links if purposes[link.particle] is purpose])
    return {recipes[link.particle]: run.evaluation(link) for link in links}
