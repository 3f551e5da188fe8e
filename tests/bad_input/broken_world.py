"""What the tests of bad input work with: a small world that is whole until a test breaks it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import yaml
from safetensors.torch import load_file, save_file

from flows.searches import prepare
from infra.configs.yaml_files import load_config
from infra.files.run_folder import RunFolder
from infra.records.store import Records
from infra.records.values import RunStatus
from infra.searches.model_swarms.config import ModelSwarmsConfig
from infra.settings import Settings
from swarm.population import initialise
from swarm.pso import ask, tell
from tests.world import EXPERTS, World

_UTILITIES = [0.1, 0.4, 0.2, 0.3]
"""Of the four particles of the world's run."""

Refused = Callable[..., str]
"""Runs `swarm` with the given arguments, checks that it is refused as bad input, and returns the message."""


class BreakableWorld(World):
    """A world whose every part a test may break."""

    @property
    def data(self) -> Path:
        return self.folder / "data.json"

    def edit_config(self, **changes: Any) -> None:
        """Replace top-level fields of the configuration."""
        self.config.write_text(yaml.safe_dump(yaml.safe_load(self.config.read_text()) | changes))

    def edit_data(self, change: Callable[[dict[str, Any]], object]) -> None:
        """Let `change` alter the data file's value."""
        value = json.loads(self.data.read_text())
        change(value)
        self.data.write_text(json.dumps(value))

    def edit_json(self, path: Path, **changes: Any) -> None:
        """Replace fields of a JSON file."""
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    def edit_tensors(self, path: Path, change: Callable[[dict[str, torch.Tensor]], object]) -> None:
        """Let `change` alter the tensors of a safetensors file."""
        tensors = {name: tensor.clone() for name, tensor in load_file(path).items()}
        change(tensors)
        save_file(tensors, path, metadata={"format": "pt"})


def make_world(folder: Path) -> BreakableWorld:
    """Write a world in which nothing is wrong."""
    world = BreakableWorld(folder)
    world.make_models()
    world.data.write_text(json.dumps({"dataset": "letters", "dev": _examples("dev"), "test": _examples("test")}))
    task = {"kind": "exact_match", "data": "data.json", "max_new_tokens": 2}
    config = {
        "name": "demo",
        "base_model": str(world.base),
        "experts": [f"experts/{name}" for name in EXPERTS],
        "objective": {"tasks": [task]},
        "search": {"particles": 4, "max_iterations": 1},
        "engine": {"device": "cpu", "workers": 1},
    }
    world.config.write_text(yaml.safe_dump(config))
    return world


def _examples(split: str) -> list[dict[str, str]]:
    return [{"question": f"{split} {letter}?", "answer": letter} for letter in "abcd"]


def contents(folder: Path) -> dict[str, bytes | None]:
    """Return every path below `folder` and, of a file, its bytes."""
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


def record_run(world: BreakableWorld, status: RunStatus = RunStatus.STOPPED, iterations: int = 0) -> None:
    """Record the run of the world's configuration: its first `iterations` + 1 iterations, with made-up utilities."""
    config, settings = load_config(world.config, ModelSwarmsConfig), Settings()
    inputs, parameters = prepare(config, settings), config.search.parameters()
    RunFolder(settings.runs, config.name).write_config(config.model_dump(mode="json"))
    state = initialise(parameters, config.seed, len(inputs.bases))
    with Records(settings.records_url) as records:
        records.start_run(config.name, config.algorithm, config.settings(), inputs.identity, config.seed)
        for iteration in range(iterations + 1):
            state = tell(parameters, ask(parameters, config.seed, state) if iteration else state, _UTILITIES)
            records.save_iteration(config.name, state.iteration, state.to_json())
        records.mark(config.name, status)
