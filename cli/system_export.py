"""`swarm export` of a Heterogeneous Swarms run: the best system so far, as a folder that `swarm ask` can load."""

from pathlib import Path
from typing import Any

from infra.configs.yaml_files import validate
from infra.files.run_folder import RunFolder
from infra.records.store import Records
from infra.records.values import RunRecord
from infra.run.prepare import Prepared, prepare
from infra.searches.heterogeneous_swarms.config import HeterogeneousSwarmsConfig
from infra.searches.heterogeneous_swarms.outcome import nodes_of
from infra.settings import Settings
from infra.systems.artefact import save_system
from swarm.errors import InputError
from swarm.heterogeneous_plan import best_system
from swarm.heterogeneous_state import HeterogeneousState


def export_system(records: Records, settings: Settings, name: str, folder: Path) -> dict[str, Any]:
    """Write the best system of the run called `name`, finished or not; return what was written.

    Raises:
        InputError: it has no iteration yet, or its base model or an expert is gone or changed.

    """
    run, iterations = records.run(name), records.iterations(name)
    if not iterations:
        raise InputError(f"run {name!r} has no iteration yet: wait for its first, or: swarm resume {name}")
    place = RunFolder(settings.runs, name)
    config = validate(place.read_config(), HeterogeneousSwarmsConfig, str(place.config))
    inputs = prepare(config, settings)
    _check_unchanged(run, inputs)
    state = HeterogeneousState.from_json(iterations[-1].state)
    system = best_system(state, nodes_of(config, inputs.bases))
    sha256 = save_system(folder.absolute(), system, inputs, config.system)
    assert state.best is not None
    return {
        "run": name,
        "folder": str(folder),
        "kind": "system",
        "sha256": sha256,
        "system": system.to_json(),
        "dev": state.best.utility,
        "iteration": state.iteration,
        "finished": run.summary is not None,
    }


def _check_unchanged(run: RunRecord, inputs: Prepared) -> None:
    """Refuse other experts under the old names: the coefficients would mean something else."""
    for what, key in inputs.identity.items():
        if what != "engine" and run.identity.get(what) != key:
            was = str(run.identity.get(what))[:12]
            raise InputError(f"run {run.name!r}: {what} was {was}… and is now {key[:12]}…: put back what it was")
