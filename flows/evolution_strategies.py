"""Evolution strategies (arXiv 2509.24372) as a Prefect flow: the order of things, and nothing else.

Each iteration is a DAG of tasks: sample → evaluate (a task per group) → update → check end → move the mean.
"""

from dataclasses import asdict
from typing import Any

from prefect import flow
from prefect.client.schemas import State as FlowState
from prefect.futures import PrefectFuture
from prefect.states import Cancelled

from data.dev_split import split_dev
from flows.evaluation_groups import RUNNER, wait_for_scores
from flows.searches import SEARCHES
from infra.evaluation.groups import StopRequested
from infra.records.values import Purpose
from infra.run.open_run import OpenRun
from infra.searches.evolution_strategies.config import EvolutionStrategiesConfig
from infra.searches.evolution_strategies.inputs import read_inputs
from infra.searches.evolution_strategies.members import perturbation
from infra.searches.evolution_strategies.outcome import EvolutionRun, MeanTest, summary
from infra.searches.evolution_strategies.view import evolution_view
from swarm import es
from swarm.es_state import EsState
from swarm.plan import Link
from swarm.seeds import Journal
from tasks.artifacts import LiveArtifacts
from tasks.evolution import (
    MEAN,
    check_end,
    evaluate_members,
    move_mean,
    probe_mean,
    publish_mean,
    sample,
    update,
)
from tasks.persistence import Json, submit
from tasks.publish import write_run_report


@flow(name="evolution-strategies", flow_run_name="{config.name}", task_runner=RUNNER, persist_result=False)
def evolution_strategies(config: EvolutionStrategiesConfig) -> dict[str, Any] | FlowState[Any]:
    """Fine-tune a model from rewards, test its best mean, and publish it; started again, it goes on.

    Returns the run's summary, or a cancelled state if somebody asked the run to stop.
    """
    try:
        with OpenRun(config, read_inputs) as run:
            final, journal, stopped_by = search(run)
            return conclude(run, final, journal, stopped_by)
    except StopRequested as stop:
        return Cancelled(message=str(stop))


def search(run: EvolutionRun) -> tuple[EsState, Journal, str]:
    """Iterate until the search says why it stops; return its last state, its journal and that reason."""
    settings, seed = run.config.search.parameters(), run.config.seed
    search_indices, held_out = split_dev(run.inputs.objective, run.config.search.held_out)
    live, journal, next_state = LiveArtifacts(run.config.name), Journal(), EsState().to_json()
    while True:
        size = run.config.engine.group_size
        groups = submit(run, sample, asdict(settings), seed, next_state, search_indices, held_out, size)
        scores = evaluate_groups(run, journal, groups)
        state_future = submit(run, update, asdict(settings), seed, next_state, groups, scores)
        state = EsState.from_json(state_future.result())
        reason = submit(run, check_end, asdict(settings), state_future)
        view = evolution_view(state, run.config, es.members(settings, seed, state))
        run.save(state, evaluation_links(groups, scores), view)
        stopped_by = reason.result()
        live.update(view, last=stopped_by is not None)
        if stopped_by is not None:
            return state, journal, stopped_by
        if state.update is not None:
            journal = journal.extend(state.update)
        next_state = submit(run, move_mean, state_future).result()


def conclude(run: EvolutionRun, final: EsState, journal: Journal, stopped_by: str) -> dict[str, Any]:
    """Test the start and the best mean, and publish it; write summary and report."""
    assert final.best is not None
    best = journal.prefix(final.best.journal)
    test_result = test(run, final.iteration, best)
    run.flush_timings(final.iteration)
    outcome = summary(run, final, best, test_result, stopped_by)
    run.finish(stopped_by, outcome)
    write_run_report.submit(run, SEARCHES.of(run.config).report).result()
    return outcome


def test(run: EvolutionRun, iteration: int, best: Journal) -> MeanTest:
    """Evaluate the start and the best mean on the test split, which nothing has read before, and publish the best."""
    run.observer.phase("testing")
    test_groups = [{"split": "test", "places": None, "members": [MEAN]}]
    scores = [evaluate_groups(run, journal, test_groups)[0].result() for journal in (Journal(), best)]
    links = [Link(0, score["group"], 0) for score in scores]
    for purpose, link in zip((Purpose.STARTING_BEST, Purpose.ENDING_BEST), links, strict=True):
        run.groups.link(iteration, purpose, [link])
    start, best_evaluation = (run.evaluation(link) for link in links)
    probe_result = submit(run, probe_mean, run, perturbation(run.inputs).to_json(), best, scores)
    return MeanTest(start, best_evaluation, probe_result.result(), publish_mean.submit(run, best).result())


def evaluate_groups(
    run: EvolutionRun, journal: Journal, groups: PrefectFuture[list[Json]] | list[Json]
) -> list[PrefectFuture[Json]]:
    """Evaluate every group, or find its scores in the records; wait until all are there."""
    noise = perturbation(run.inputs).to_json()
    count = range(len(groups if isinstance(groups, list) else groups.result()))
    return wait_for_scores([submit(run, evaluate_members, run, noise, journal, groups, index) for index in count])


def evaluation_links(groups: PrefectFuture[list[Json]], scores: list[PrefectFuture[Json]]) -> list[Link]:
    """Return where in the records each member's evaluation is; the mean's comes after the last member's."""
    keys = [score.result()["group"] for score in scores]
    sizes = [len(group["members"]) for group in groups.result()]
    places = [(key, index) for key, size in zip(keys, sizes, strict=True) for index in range(size)]
    return [Link(member, key, index) for member, (key, index) in enumerate(places)]
