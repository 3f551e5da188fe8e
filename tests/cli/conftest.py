"""The command line as people meet it: `main()` in this process, on runs recorded from a real search of a tiny model."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from cli.main import main
from cli.terminal import console
from flows.searches import prepare
from infra.configs.yaml_files import load_config
from infra.files.run_folder import RunFolder
from infra.records.store import Records
from infra.records.values import RunStatus
from infra.searches.model_swarms.config import ModelSwarmsConfig
from infra.settings import Settings
from swarm.population import initialise
from swarm.pso import ask, tell
from swarm.state import State
from tests.cli.command_line import Command, CommandOutcome, RecordRun, letters_data, words_data
from tests.world import World

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    made = World(tmp_path_factory.mktemp("world"))
    made.make_models()
    made.data.write_text(json.dumps(letters_data()))
    (made.folder / "words.json").write_text(json.dumps(words_data()))
    config = {
        "name": "demo",
        "base_model": str(made.base),
        "experts": ["experts/one", "experts/two", "experts/three"],
        "objective": {"tasks": [{"kind": "multiple_choice", "parse": "loglik", "data": "letters.json"}]},
        "search": {"particles": 5, "max_iterations": 4},
        "engine": {"device": "cpu", "workers": 1},
    }
    made.config.write_text(yaml.safe_dump(config))
    return made


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("SWARM_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("SWARM_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("SWARM_DATABASE_URL", raising=False)
    return Settings()


@pytest.fixture
def command(settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    monkeypatch.setattr(console.out, "_width", 240)

    def run(*arguments: object) -> CommandOutcome:
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["swarm", *map(str, arguments)])
        with pytest.raises(SystemExit) as outcome:
            main()
        captured = capsys.readouterr()
        return CommandOutcome(int(outcome.value.code or 0), captured.out, captured.err)

    return run


@pytest.fixture
def record_run(world: World, settings: Settings) -> RecordRun:
    """Record a search of `iterations` moves whose utility is the coefficient of the second expert."""

    def record(
        name: str = "demo", iterations: int = 2, status: RunStatus = RunStatus.STOPPED, **overrides: Any
    ) -> list[State]:
        sets = [f"name={name}", *(f"{key}={value}" for key, value in overrides.items())]
        config = load_config(world.config, ModelSwarmsConfig, sets)
        inputs = prepare(config, settings)
        folder = RunFolder(settings.runs, name)
        folder.write_config(config.model_dump(mode="json"))
        states = search(config, len(inputs.bases), iterations)
        with Records(settings.records_url) as records:
            records.start_run(name, config.algorithm, config.settings(), inputs.identity, config.seed)
            for state in states:
                records.save_iteration(name, state.iteration, state.to_json())
            finished = status is RunStatus.FINISHED
            records.mark(name, status, "patience" if finished else None, summary=summary(states) if finished else None)
        return states

    return record


def search(config: ModelSwarmsConfig, bases: int, iterations: int) -> list[State]:
    parameters = config.search.parameters()
    states: list[State] = []
    while len(states) <= iterations:
        state = ask(parameters, config.seed, states[-1]) if states else initialise(parameters, config.seed, bases)
        states.append(tell(parameters, state, state.positions[:, 1].tolist()))
    return states


def summary(states: list[State]) -> dict[str, Any]:
    best = states[-1].global_best
    assert best is not None
    return {
        "run": "demo",
        "objective": {"letters": "d" * 64},
        "evaluations": 15,
        "generated_tokens": 120,
        "starting_best": {"expert": "two", "dev": 1.0, "test": 0.5, "test_ci95": [0.25, 0.7]},
        "ending_best": {
            "recipe": {"coefficients": {}, "space": "factors"},
            "dev": best.utility,
            "test": 0.75,
            "test_ci95": [0.5, 0.9],
            "p_value_vs_starting_best": 0.0123,
        },
        "ensemble": None,
    }
