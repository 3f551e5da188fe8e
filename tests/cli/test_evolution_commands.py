"""Commands on a run of evolution strategies, recorded with made-up rewards: what they show, and what they rebuild."""

from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from transformers import AutoModelForCausalLM

from experts.evolved import EvolvedWeights, replay
from experts.perturbations import Perturbations
from experts.weights_hash import tensor_sha256, weights_sha256
from flows.searches import prepare
from infra.configs.yaml_files import load_config
from infra.files.run_folder import RunFolder
from infra.records.store import Records
from infra.records.values import RunStatus
from infra.searches.evolution_strategies.config import EvolutionStrategiesConfig
from infra.searches.evolution_strategies.members import seed_basis, start_recipe
from infra.settings import Settings
from swarm import es
from swarm.es_state import EsState
from swarm.seeds import Journal
from tests.cli.command_line import Command, World

RUN = "tuned"
CONFIG = {
    "name": RUN,
    "algorithm": "evolution-strategies",
    "objective": {"tasks": [{"kind": "multiple_choice", "parse": "loglik", "data": "letters.json"}]},
    "perturbation": {"mode": "low_rank", "rank": 2, "targets": ["q_proj"]},
    "search": {"population": 4, "sigma": 0.1, "learning_rate": 0.1, "max_iterations": 3, "held_out": 4},
    "engine": {"device": "cpu", "workers": 1},
}


@pytest.fixture
def config(world: World) -> Path:
    path = world.folder / "evolution.yaml"
    path.write_text(yaml.safe_dump({**CONFIG, "base_model": str(world.base)}))
    return path


@pytest.fixture
def states(config: Path, settings: Settings) -> list[EsState]:
    """The iterations of a recorded run, the last of which has the best mean."""
    loaded = load_config(config, EvolutionStrategiesConfig)
    parameters, told = loaded.search.parameters(), []
    state = EsState()
    while True:
        rewards = [0.1 * (k + state.iteration) for k, _ in enumerate(es.members(parameters, 0, state))]
        held_out = 0.2 * state.iteration if es.is_measured(parameters, state.iteration) else None
        told.append(es.tell(parameters, 0, state, rewards, held_out))
        if es.stop_reason(parameters, told[-1]):
            break
        state = es.ask(told[-1])
    RunFolder(settings.runs, RUN).write_config(loaded.model_dump(mode="json"))
    with Records(settings.records_url) as records:
        records.start_run(RUN, loaded.algorithm, loaded.settings(), prepare(loaded, settings).identity, 0)
        for item in told:
            records.save_iteration(RUN, item.iteration, item.to_json())
        records.mark(RUN, RunStatus.STOPPED, "request")
    return told


def replayed(config: Path, settings: Settings, states: list[EsState], iteration: int) -> str:
    inputs = prepare(load_config(config, EvolutionStrategiesConfig, ["name=other"]), settings)
    journal = Journal().extend(*(s.update for s in states[:iteration] if s.update is not None))
    next_state = replay(seed_basis(inputs), start_recipe(inputs), journal)
    return weights_sha256((m.name, tensor_sha256(m.weight)) for m in next_state)


def test_status_shows_the_best_mean(command: Command, states: list[EsState]) -> None:
    assert any(line.startswith(RUN) and "3/3" in line and "0.6" in line for line in command("status").lines)
    output = command("status", RUN)
    assert "the mean, iteration 3" in output.out
    assert command("status", RUN, "--json").json["best"]["journal"] == states[-1].journal


def test_history_shows_rewards_and_one_iterations_seeds(command: Command, states: list[EsState]) -> None:
    assert command("history", RUN, "--json").json == [state.to_json() for state in states]
    assert len(command("history", RUN).lines) == 1 + len(states)
    update = states[1].update
    assert update is not None
    output = command("history", RUN, "--iteration", 1).out
    assert all(str(seed) in output for seed in update.seeds)
    assert "has no iteration 7: it has 0 to 3" in command("history", RUN, "-i", 7).error


def test_any_iteration_is_rebuilt_bit_for_bit(
    command: Command, config: Path, settings: Settings, states: list[EsState], tmp_path: Path
) -> None:
    for option, iteration in (((), 3), (("--iteration", 1), 1), (("--iteration", 0), 0)):
        folder = tmp_path / f"export{iteration}"
        written = command("export", RUN, folder, *option, "--json").json
        assert (written["iteration"], written["kind"]) == (iteration, "whole model")
        assert written["sha256"] == replayed(config, settings, states, iteration)
        assert (written["drift"] == 0) is (iteration == 0)
        assert AutoModelForCausalLM.from_pretrained(folder).num_parameters() > 0
        assert f"iteration {iteration}" in (folder / "README.md").read_text()


def test_an_export_begins_at_a_snapshot_of_the_run(
    command: Command,
    config: Path,
    settings: Settings,
    states: list[EsState],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    expectation = replayed(config, settings, states, 3)
    inputs = prepare(load_config(config, EvolutionStrategiesConfig, ["snapshot_every=2"]), settings)
    weights = EvolvedWeights(seed_basis(inputs), {}, torch.device("cpu"))
    journal = Journal().extend(*(s.update for s in states[:2] if s.update is not None))
    weights.go_to(start_recipe(inputs), journal)
    assert [path.name[:6] for path in RunFolder(settings.runs, RUN).snapshots.iterdir()] == ["000002"]
    seen = []
    real = Perturbations.update

    def watched(self: Perturbations, *arguments: Any) -> None:
        seen.append(arguments[-1])
        real(self, *arguments)

    monkeypatch.setattr(Perturbations, "update", watched)
    assert command("export", RUN, tmp_path / "quick", "--iteration", 3, "--json").json["sha256"] == expectation
    assert set(seen) == {states[2].update}


def test_an_iteration_that_there_is_not_is_refused(command: Command, states: list[EsState], tmp_path: Path) -> None:
    assert command("export", RUN, tmp_path / "x", "--iteration", 9).error == (
        f"error: --iteration 9: run {RUN!r} has the iterations 0 to 3"
    )


def test_the_report_is_written_from_the_records(command: Command, settings: Settings, states: list[EsState]) -> None:
    assert command("report", RUN).code == 0
    page = (RunFolder(settings.runs, RUN).path / "report.html").read_text()
    assert "not finished yet" in page.lower()
    assert "held-out" in page
