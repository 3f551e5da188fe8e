"""The best system of a run so far, read from the records, and its export as a folder that `swarm ask` can load."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experts.base_models import resolve_base_model
from infra.configs.yaml_files import validate
from infra.evaluation.inputs import RunInputs
from infra.files.run_folder import RunFolder
from infra.records.store import Records
from infra.records.values import RunRecord
from infra.run.prepare import require_unchanged
from infra.searches.experts import read_experts
from infra.searches.heterogeneous_swarms.config import HeterogeneousSwarmsConfig
from infra.searches.heterogeneous_swarms.outcome import nodes_of
from infra.settings import Settings
from infra.systems.artefact import save_system
from swarm.errors import InputError
from swarm.heterogeneous_plan import best_system
from swarm.heterogeneous_state import HeterogeneousState
from swarm.systems import System


@dataclass(frozen=True)
class RunBestSystem:
    """The best system of a run.

    Attributes:
        config: the run's configuration.
        inputs: its experts and objective.
        state: the last saved iteration.
        system: the best system as of then.

    """

    config: HeterogeneousSwarmsConfig
    inputs: RunInputs
    state: HeterogeneousState
    system: System


def read_best_system(records: Records, settings: Settings, run: RunRecord) -> RunBestSystem:
    """Return the best system of `run`, finished or not.

    Raises:
        InputError: it has no iteration yet, or its base model, data or an expert is gone or changed.

    """
    iterations = records.iterations(run.name)
    if not iterations:
        raise InputError(f"run {run.name!r} has no iteration yet: wait for its first, or: swarm resume {run.name}")
    folder = RunFolder(settings.runs, run.name)
    config = validate(folder.read_config(), HeterogeneousSwarmsConfig, str(folder.config))
    inputs = read_experts(
        config, resolve_base_model(config.base_model, settings.cache, settings.verify_hashes), settings
    )
    require_unchanged(run, inputs.identity)
    state = HeterogeneousState.from_json(iterations[-1].state)
    return RunBestSystem(config, inputs, state, best_system(state, nodes_of(config, inputs.bases)))


def export_system(best: RunBestSystem, run: RunRecord, folder: Path) -> dict[str, Any]:
    """Write the best system of `run` to `folder`; return what was written."""
    sha256 = save_system(folder.absolute(), best.system, best.inputs, best.config.system)
    assert best.state.best is not None
    return {
        "run": run.name,
        "folder": str(folder),
        "kind": "system",
        "sha256": sha256,
        "system": best.system.to_json(),
        "dev": best.state.best.utility,
        "iteration": best.state.iteration,
        "finished": run.summary is not None,
    }
