"""`swarm history`, `status` and `export` of a search for a system."""

from pathlib import Path

import pytest
import yaml

from experts.base_models import resolve_base_model
from flows.searches import prepare
from infra.configs.yaml_files import load_config
from infra.files.run_folder import RunFolder
from infra.records.store import Records
from infra.records.values import RunStatus
from infra.searches.heterogeneous_swarms.config import HeterogeneousSwarmsConfig
from infra.searches.heterogeneous_swarms.outcome import nodes_of
from infra.settings import Settings
from infra.systems.artefact import load_system
from swarm.heterogeneous import ask, tell_graphs, tell_models
from swarm.heterogeneous_plan import graph_systems, model_systems
from swarm.heterogeneous_population import initialise
from swarm.heterogeneous_state import HeterogeneousState
from tests.cli.command_line import Command, World
from tests.tiny import make_expert


@pytest.fixture
def team(world: World, settings: Settings) -> list[HeterogeneousState]:
    """A recorded, stopped run called `team`, whose utility is the depth of the graph."""
    value = {**yaml.safe_load(world.config.read_text()), "name": "team", "algorithm": "heterogeneous-swarms"}
    value["search"] = {"particles": 4, "graphs": 3, "assignments": 2, "max_iterations": 4}
    path = world.config.with_name("team.yaml")
    path.write_text(yaml.safe_dump(value))
    config = load_config(path, HeterogeneousSwarmsConfig)
    inputs = prepare(config, settings)
    RunFolder(settings.runs, "team").write_config(config.model_dump(mode="json"))
    states = search(config, inputs.bases)
    with Records(settings.records_url) as records:
        records.start_run("team", config.algorithm, config.settings(), inputs.identity, config.seed)
        for state in states:
            records.save_iteration("team", state.iteration, state.to_json())
        records.mark("team", RunStatus.STOPPED)
    return states


def search(config: HeterogeneousSwarmsConfig, bases: tuple[str, ...]) -> list[HeterogeneousState]:
    parameters, nodes = config.search.parameters(4), nodes_of(config, bases)
    states: list[HeterogeneousState] = []
    while len(states) < 3:
        state = ask(parameters, 0, states[-1]) if states else initialise(parameters, 0, len(bases))
        state = tell_graphs(parameters, state, [float(s.dag.depth) for s in graph_systems(state, nodes)])
        systems = model_systems(parameters, 0, state, nodes)
        states.append(tell_models(parameters, 0, state, [float(s.dag.depth) for s in systems]))
    return states


def test_history_shows_every_iteration_and_all_of_its_state(team: list[HeterogeneousState], command: Command) -> None:
    assert command("history", "team", "--json").json == [state.to_json() for state in team]
    lines = [line for line in command("history", "team").out.splitlines() if line.strip()]
    assert len(lines) >= 4 and all(word in lines[0] + lines[1] for word in ("best", "graph", "model", "system"))


def test_history_of_an_iteration_shows_its_graphs_and_models(team: list[HeterogeneousState], command: Command) -> None:
    output = command("history", "team", "--iteration", "1").out
    assert all(f"graph {i}" in output for i in range(3)) and all(f"model {i}" in output for i in range(4))
    assert "→" in output and "one" in output
    assert command("history", "team", "-i", "1", "--json").json == [team[1].to_json()]


def test_history_refuses_an_iteration_that_there_is_not(team: list[HeterogeneousState], command: Command) -> None:
    outcome = command("history", "team", "--iteration", "3")
    assert (outcome.code, outcome.out) == (2, "")
    assert "run 'team' has no iteration 3: it has 0 to 2" in outcome.err


def test_status_names_the_best_system(team: list[HeterogeneousState], command: Command) -> None:
    best = team[-1].best
    assert best is not None
    found = command("status", "team", "--json").json
    assert (found["best"]["utility"], found["best"]["iteration"]) == (best.utility, best.iteration)
    assert (
        f"{best.utility:.4f} (a system, by its {best.step}, iteration {best.iteration})"
        in command("status", "team").out
    )


def test_export_writes_the_best_system_of_a_run_that_goes_on(
    team: list[HeterogeneousState], command: Command, tmp_path: Path, world: World
) -> None:
    folder = tmp_path / "exported"
    result = command("export", "team", folder, "--json").json
    assert (result["kind"], result["finished"], result["iteration"]) == ("system", False, 2)
    loaded = load_system(folder, resolve_base_model(str(world.base), Settings().cache))
    assert loaded.system.dag == team[-1].best.dag  # type: ignore[union-attr]
    assert len(loaded.system.recipes) == 4


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--merged"], "--merged: run 'team' found a system, which has several models: leave it out"),
        (["--iteration", "1"], "--iteration 1: run 'team' has a best of all iterations: leave it out"),
    ],
)
def test_export_refuses_what_a_system_does_not_have(
    team: list[HeterogeneousState], command: Command, tmp_path: Path, options: list[str], said: str
) -> None:
    outcome = command("export", "team", tmp_path / "exported", *options)
    assert (outcome.code, outcome.out) == (2, "")
    assert said in outcome.err


def test_export_refuses_a_changed_expert(
    team: list[HeterogeneousState], command: Command, settings: Settings, tmp_path: Path, world: World
) -> None:
    make_expert(tmp_path / "one", world.base, seed=9)
    config = RunFolder(settings.runs, "team").config
    value = yaml.safe_load(config.read_text())
    config.write_text(yaml.safe_dump({**value, "experts": [str(tmp_path / "one"), *value["experts"][1:]]}))
    outcome = command("export", "team", tmp_path / "exported")
    assert (outcome.code, outcome.out) == (2, "")
    assert "run 'team': expert one was " in outcome.err and "put back what it was" in outcome.err


def test_evaluate_asks_the_best_system_and_finds_the_result_the_second_time(
    team: list[HeterogeneousState], command: Command, world: World
) -> None:
    first = command("evaluate", "team", "--objective", world.config, "--json").json
    assert first["evaluated"] == "best system of run team"
    assert first["recipe"]["dag"] == team[-1].best.dag.to_json()
    assert (first["examples"], first["from_records"]) == (12, False)
    again = command("evaluate", "team", "--objective", world.config, "--json").json
    assert again == {**first, "from_records": True}
