"""Check a run before it starts: its inputs, and whether this process may drive it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar, cast

from experts.base_models import BaseModel, resolve_base_model
from experts.basis import Basis, FullBasis
from infra.configs.common import RunConfig
from infra.evaluation.inputs import RunInputs
from infra.evaluation.lengths import require_room
from infra.files.locks import require_free
from infra.files.results import require_results
from infra.files.run_folder import RunFolder
from infra.observing.trackers.registry import require_trackers
from infra.records.values import RunRecord
from infra.settings import Settings
from swarm.errors import InputError

Config = TypeVar("Config", bound=RunConfig)
Inputs = TypeVar("Inputs", bound=RunInputs)

ReadInputs = Callable[[Config, BaseModel, Settings], Inputs]
"""Reads and checks everything that a configuration names; `infra.run.search.Search.inputs` of each algorithm."""

_handed_over: ContextVar[tuple[RunConfig, RunInputs]] = ContextVar("inputs")


def prepare(config: Config, settings: Settings, read: ReadInputs[Config, Inputs]) -> Inputs:
    """Find, read and check everything that `config` names.

    Inside a block of `hand_over` with the same configuration, what was handed over is returned.

    Raises:
        InputError: something is missing, damaged, too long for the base model, or doesn't fit, or another process
            drives the run.

    """
    ready = _handed_over.get(None)
    if ready is not None and ready[0] == config:
        return cast(Inputs, ready[1])
    require_free(RunFolder(settings.runs, config.name).path, settings.lock_patience)
    require_trackers(config.track)
    require_results(settings.results)
    inputs = read(config, resolve_base_model(config.base_model, settings.cache, settings.verify_hashes), settings)
    require_room(inputs.objective, inputs.base, config.engine)
    return inputs


@contextmanager
def hand_over(config: RunConfig, inputs: RunInputs) -> Iterator[None]:
    """Let the run that is opened inside the block use `inputs`, so that nothing is read twice.

    A Prefect flow takes plain JSON, so inputs can't be its argument: they come in by a context variable.
    """
    token = _handed_over.set((config, inputs))
    try:
        yield
    finally:
        _handed_over.reset(token)


def refuse_twins(basis: Basis | FullBasis) -> None:
    """Raise `InputError` if the records and the report could not tell two experts apart."""
    for values, twins in (
        (basis.ids, "are the same expert: leave one out"),
        (basis.names, "have the same name: rename one's folder"),
    ):
        for index, value in enumerate(values):
            if value in values[:index]:
                first, second = basis.names[values.index(value)], basis.names[index]
                raise InputError(f"experts: {first!r} and {second!r} {twins}")


def require_unchanged(run: RunRecord, now: Mapping[str, str]) -> None:
    """Raise `InputError` if an input changed since the run was made: its coefficients would mean something else.

    Args:
        run: the run as it is recorded.
        now: what → its content hash, as `RunInputs.identity` has them; the engine's doesn't matter here.

    """
    for name, key in now.items():
        if name != "engine" and run.identity.get(name) != key:
            old = str(run.identity.get(name))[:12]
            raise InputError(f"run {run.name!r}: {name} was {old}… and is now {key[:12]}…: put back what it was")
