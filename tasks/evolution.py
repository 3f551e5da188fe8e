"""The tasks of one evolution strategies iteration: sample → evaluate → update → track.

Small JSON in, small JSON out; every result is persisted under a key of its content.
"""

from dataclasses import asdict
from typing import Any

from prefect import task

from experts.evolved_export import export_evolved
from infra.evaluation.recipes import RecipeGroup
from infra.run.open_run import OpenRun
from infra.searches.evolution_strategies.members import member_recipes, seed_basis
from infra.searches.evolution_strategies.probe import probe
from swarm import es
from swarm.es_parameters import EsParameters
from swarm.es_state import EsState
from swarm.plan import Link, equal_parts
from swarm.seeds import Journal
from tasks.evaluation import EVALUATION
from tasks.persistence import NO_RESULT, PERSISTENCE, Json

MEAN: Json = {"seed": None, "scale": 0.0}
"""The mean θ_t as a member of a group."""


@task(name="sample", **PERSISTENCE)
def sample(
    parameters: Json, seed: int, state: Json, searched: list[int], held_out: list[int], group_size: int
) -> list[Json]:
    """Draw the population and its batch of examples: evaluation groups; the mean's own comes last, where it is due.

    A group is {"split", "places": of the examples that are asked, "members": [{"seed", "scale"}, …]}.
    """
    settings, now = EsParameters(**parameters), EsState.from_json(state)
    batch = es.batch(settings, seed, now.iteration, len(searched))
    places = [searched[index] for index in batch]
    members = [{"seed": member.seed, "scale": member.scale} for member in es.members(settings, seed, now)]
    groups = [{"split": "dev", "places": places, "members": part} for part in equal_parts(members, group_size)]
    if es.is_measured(settings, now.iteration):
        groups.append({"split": "dev", "places": held_out, "members": [MEAN]})
    return groups


@task(name="evaluate members", **EVALUATION)
def evaluate_members(
    run: OpenRun[Any, Any], perturbation: Json, journal: Journal, groups: list[Json], index: int
) -> Json:
    """Evaluate `groups[index]` around the mean of `journal`; its scores are committed before this returns.

    `perturbation` says what seeds mean, so that it is part of this result's key.

    Returns {"group": its key in the records, "utilities": one a member}.
    """
    group = groups[index]
    members = member_recipes(run.inputs, journal, group["members"])
    return run.groups.evaluate(RecipeGroup.of(members, group["split"], group["places"]))


@task(name="update", **PERSISTENCE)
def update(parameters: Json, seed: int, state: Json, groups: list[Json], scores: list[Json]) -> Json:
    """Tell the search its rewards, and the mean's where it was measured: the update, and the best mean so far."""
    rewards: list[float] = []
    held_out: float | None = None
    for group, score in zip(groups, scores, strict=True):
        if group["members"] == [MEAN]:
            held_out = score["utilities"][0]
        else:
            rewards += score["utilities"]
    return es.tell(EsParameters(**parameters), seed, EsState.from_json(state), rewards, held_out).to_json()


@task(name="check end", **PERSISTENCE)
def check_end(parameters: Json, state: Json) -> str | None:
    """Say why the search ends here, or None."""
    return es.stop_reason(EsParameters(**parameters), EsState.from_json(state))


@task(name="move the mean", **PERSISTENCE)
def move_mean(state: Json) -> Json:
    """Return the next iteration, around the updated mean."""
    return es.ask(EsState.from_json(state)).to_json()


@task(name="probe", **PERSISTENCE)
def probe_mean(run: OpenRun[Any, Any], perturbation: Json, journal: Journal, places: list[Json]) -> Json | None:
    """Compare the start's and the best mean's answers, whose evaluations are at `places`; return what `Probe` says."""
    start, best = (member_recipes(run.inputs, updates, [MEAN])[0] for updates in (Journal(), journal))
    before, after = (run.evaluation(Link(0, score["group"], 0)) for score in places)
    result = probe(run, (start, best), (before, after))
    return None if result is None else asdict(result)


@task(name="publish best", **NO_RESULT)
def publish_mean(run: OpenRun[Any, Any], journal: Journal) -> Json:
    """Write the mean at the end of `journal` to the run's folder; return what `Exported` says. Never cached."""
    recipe = member_recipes(run.inputs, journal, [MEAN])[0]
    with run.clock.measure("replay and export"):
        return asdict(export_evolved(seed_basis(run.inputs), recipe, run.folder.best))
