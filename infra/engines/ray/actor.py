"""What runs in a Ray actor: one engine, loaded on the actor's node, and the checks that it is the run's engine."""

import json
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import ray
import torch

from data.requests import Request, Response
from experts.base_models import BaseModel, check_model_folder
from experts.basis import Basis, FullBasis
from experts.full_models import read_full_model
from experts.seed_basis import SeedBasis
from experts.tensors import model_sha256
from infra.engines.base import Engine
from infra.engines.config import EngineConfig
from infra.engines.local import local_identity, open_local
from swarm.errors import EvaluationError, InputError
from swarm.recipes import Recipe

T = TypeVar("T")
BasisReference = list["ray.ObjectRef[StoredBasis | FullBasis | SeedBasis]"]


@dataclass(frozen=True)
class Assignment:
    """What every actor of a pool is to be.

    Attributes:
        config: its engine's configuration.
        base: the base model, in the same folder on every node.
        identity: the engine identity that the run's evaluations are found by.
        node: Ray's id of the node whose files the run has read and checked already.

    """

    config: EngineConfig
    base: BaseModel
    identity: str
    node: str


@dataclass(frozen=True)
class StoredBasis:
    """A `Basis` as contiguous float32 arrays, which the actors of a node read from Ray's shared memory.

    Attributes:
        ids: content hashes of the experts.
        names: their names.
        ranks: their ranks.
        modules: A [n, r, in] and Bᵀ [n, r, out] of each module.

    """

    ids: tuple[str, ...]
    names: tuple[str, ...]
    ranks: tuple[int, ...]
    modules: Mapping[str, tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]]

    @classmethod
    def of(cls, basis: Basis) -> "StoredBasis":
        """Pack `basis` without a copy."""
        modules = {name: (down.numpy(), up.transpose(1, 2).numpy()) for name, (down, up) in basis.modules.items()}
        return cls(basis.ids, basis.names, basis.ranks, modules)

    def unpack(self) -> Basis:
        """Return the basis, in memory of its own and laid out as it was."""
        modules = {n: (torch.tensor(down), torch.tensor(up).transpose(1, 2)) for n, (down, up) in self.modules.items()}
        return Basis(self.ids, self.names, self.ranks, modules)


@dataclass(frozen=True)
class Failure:
    """An error on its way from an actor to the run: its kind and its one line."""

    is_input: bool
    message: str

    def error(self) -> InputError | EvaluationError:
        """Return it as what it was."""
        return InputError(self.message) if self.is_input else EvaluationError(self.message)


@dataclass(frozen=True)
class ActorLocation:
    """Where an actor runs: a node, as people know it, and a process there."""

    node: str
    pid: int

    def __str__(self) -> str:
        return f"the actor in process {self.pid} of {self.node}"


class EngineActor:
    """Holds one engine; a restarted actor loads it again at its next call.

    So every call says where the basis is: a list holds Ray's reference to it, so that Ray fetches it only where it is
    needed.
    """

    def __init__(self, assignment: Assignment) -> None:
        self._assignment = assignment
        self._engine: Engine | None = None
        self._call = ""
        self._done = 0

    def prepare(self, basis: BasisReference) -> ActorLocation | Failure:
        """Check this node and load the engine, unless that is done; return where this is, or what is wrong."""
        loaded = _attempt(lambda: self._loaded_engine(basis))
        return loaded if isinstance(loaded, Failure) else ActorLocation(_here(), os.getpid())

    def evaluate(
        self, basis: BasisReference, call: str, population: Sequence[Recipe], requests: Sequence[Sequence[Request]]
    ) -> list[list[Response]] | Failure:
        """Answer as `Engine.run` does; `call` is the name that `progress` knows it by."""
        self._call, self._done = call, 0
        return _attempt(lambda: self._loaded_engine(basis).run(population, requests, self._progressed))

    @ray.method(concurrency_group="progress")  # type: ignore[untyped-decorator]
    def progress(self, call: str) -> int:
        """Return how many requests of `call` are answered; this runs while `evaluate` does."""
        return self._done if self._call == call else 0

    def _progressed(self, done: int, total: int) -> None:
        self._done = done

    def _loaded_engine(self, basis: BasisReference) -> Engine:
        if self._engine is None:
            assignment, stored = self._assignment, ray.get(basis[0])
            elsewhere = ray.get_runtime_context().get_node_id() != assignment.node
            check_node(assignment, stored, elsewhere)
            unpacked = stored.unpack() if isinstance(stored, StoredBasis) else stored
            self._engine = open_local(assignment.config, assignment.base, unpacked)
        return self._engine


def check_node(assignment: Assignment, basis: StoredBasis | FullBasis | SeedBasis, elsewhere: bool) -> None:
    """Check that this node has the run's files and the run's engine; the files' content only if it is `elsewhere`.

    Raises:
        InputError: naming this node and what differs.

    """
    here = _here()
    shared = "keep it on a file system that all nodes share"
    folders = [assignment.base.folder, *(basis.folders if isinstance(basis, FullBasis) else ())]
    for folder in folders:
        if not folder.is_dir():
            raise InputError(f"{here} has no folder {folder}: copy it there, or {shared}")
    try:
        identity = local_identity(assignment.config, assignment.base)
    except InputError as error:
        raise InputError(f"{here}: {error}") from error
    if identity != assignment.identity:
        differences = "; ".join(_differences(json.loads(assignment.identity), json.loads(identity)))
        raise InputError(
            f"{here} has another engine than this run: {differences}: install the same versions on every node"
        )
    if elsewhere and (changed_folder := _changed_folder(assignment.base, basis)):
        raise InputError(f"{here} has other files in {changed_folder} than this run: copy them again, or {shared}")


def _here() -> str:
    return f"node {socket.gethostname()}"


def _changed_folder(base: BaseModel, basis: StoredBasis | FullBasis | SeedBasis) -> str | None:
    check_model_folder(base.folder)
    if model_sha256(base.folder) != base.sha256:
        return str(base.folder)
    here = BaseModel(base.name, base.folder, base.sha256)  # without the folder of hashes of the machine it came from
    models = zip(basis.ids, basis.folders, strict=True) if isinstance(basis, FullBasis) else ()
    return next((str(folder) for key, folder in models if read_full_model(folder, here).id != key), None)


def _differences(ours: Mapping[str, Any], theirs: Mapping[str, Any], above: str = "") -> list[str]:
    lines = []
    for name in sorted(ours.keys() | theirs.keys()):
        there, here = theirs.get(name), ours.get(name)
        if isinstance(there, dict) and isinstance(here, dict):
            lines += _differences(here, there, f"{name}.")
        elif there != here:
            lines.append(f"{above}{name} is {there} there, {here} here")
    return lines


def _attempt(action: Callable[[], T]) -> T | Failure:
    try:
        return action()
    except (InputError, EvaluationError) as error:
        return Failure(isinstance(error, InputError), str(error))
