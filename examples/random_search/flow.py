"""The Prefect flow: draw → evaluate (a task per group) → track best, then the test."""

from typing import Any

from prefect import flow, task
from prefect.client.schemas import State as FlowState
from prefect.states import Cancelled

from examples.random_search import algorithm
from examples.random_search.algorithm import State
from examples.random_search.config import RandomSearchConfig
from examples.random_search.search import RANDOM_SEARCH
from flows.evaluation_groups import RUNNER, evaluate_groups, evaluation_links
from infra.evaluation.groups import StopRequested
from infra.evaluation.inputs import RunInputs
from infra.observing.views import IterationView
from infra.records.values import Purpose
from infra.run.comparison import Comparison
from infra.run.open_run import OpenRun
from infra.searches.experts import read_experts
from swarm.plan import Group, Link, links
from swarm.recipes import Recipe
from tasks.persistence import PERSISTENCE, Json, submit
from tasks.publish import publish_best, write_run_report
from tasks.search import choose_for_test

Run = OpenRun[RandomSearchConfig, RunInputs]


@flow(name="random-search", flow_run_name="{config.name}", task_runner=RUNNER, persist_result=False)
def random_search(config: RandomSearchConfig) -> dict[str, Any] | FlowState[Any]:
    """Draw recipes, test the best, and publish it; started again, it goes on."""
    try:
        with OpenRun(config, read_experts) as run:
            return conclude(run, search(run))
    except StopRequested as stop:
        return Cancelled(message=str(stop))


def search(run: Run) -> State:
    """Iterate until all iterations are made; return the last state."""
    settings, seed = run.config.search, run.config.seed
    next_state = algorithm.begin(len(run.inputs.bases)).to_json()
    while True:
        groups = submit(run, choose_for_test, recipes(run, next_state["positions"]), run.config.engine.group_size)
        scores = evaluate_groups(run, groups, "dev")
        state = State.from_json(submit(run, track_best, next_state, groups, scores).result())
        run.save(state, evaluation_links(groups, scores), view(state, settings.max_iterations))
        if state.iteration == settings.max_iterations:
            return state
        next_state = submit(run, draw, seed, settings.candidates, state.to_json()).result()


def conclude(run: Run, final: State) -> dict[str, Any]:
    """Test the best expert and the best recipe, publish the latter, and write summary and report."""
    run.observer.phase("testing")
    first, best = State.from_json(run.state(0)), final.best
    assert best is not None
    expert = first.utilities.index(max(first.utilities))
    finalists = recipes(run, [first.positions[expert], best["coefficients"]])
    groups = submit(run, choose_for_test, finalists, 1)
    links = evaluation_links(groups, evaluate_groups(run, groups, "test"))
    for purpose, link in zip((Purpose.STARTING_BEST, Purpose.ENDING_BEST), links, strict=True):
        run.groups.link(final.iteration, purpose, [Link(0, link.group, link.index)])
    before, after = (run.evaluation(link).scores for link in links)
    compare = Comparison(run.inputs.objective, run.config.seed)
    sha256 = publish_best.submit(run, finalists[1]).result()
    run.flush_timings(final.iteration)
    coefficients = dict(zip(run.inputs.names, best["coefficients"], strict=True))
    summary = {
        **run.heading(final.iteration, "iterations"),
        "starting_best": {
            "expert": run.inputs.names[expert],
            "dev": first.utilities[expert],
            **compare.test(before),
        },
        "ending_best": {
            "recipe": {"coefficients": coefficients, "space": run.config.space.value},
            "dev": best["utility"],
            **compare.test(after),
            "p_value_vs_starting_best": compare.p_value(before, after),
        },
        "ensemble": None,
        "best_adapter_sha256": sha256,
        "state_sha256": final.sha256,
    }
    run.finish("iterations", summary)
    write_run_report.submit(run, RANDOM_SEARCH.report).result()
    return summary


@task(name="draw", **PERSISTENCE)
def draw(seed: int, candidates: int, state: Json) -> Json:
    """Draw the next iteration's recipes."""
    return algorithm.ask(seed, candidates, State.from_json(state)).to_json()


@task(name="track best", **PERSISTENCE)
def track_best(state: Json, groups: list[Json], scores: list[Json]) -> Json:
    """Tell the search its utilities."""
    by_group = {score["group"]: score["utilities"] for score in scores}
    recorded_links = links(list(map(Group.from_json, groups)), list(by_group))
    utilities = {link.particle: by_group[link.group][link.index] for link in recorded_links}
    return algorithm.tell(State.from_json(state), [utilities[i] for i in sorted(utilities)]).to_json()


def recipes(run: Run, positions: Any) -> list[Json]:
    """Return `positions` as recipes of the run's experts."""
    bases, space = run.inputs.bases, run.config.space
    return [Recipe(bases, tuple(row), space).to_json() for row in positions]


def view(state: State, most: int) -> IterationView:
    """Return what is shown of an iteration."""
    best = state.best or {}
    rows = tuple(enumerate(state.utilities))
    finder = f"iteration {best['iteration']}" if best else ""
    return IterationView(
        state.iteration, most, state.utilities, best.get("utility"), finder, 0, None, ("candidate", "utility"), rows
    )
