"""The vLLM engine: the base model resident in vLLM, particles handed over from memory as adapters or as weights."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import Any

import torch

from data.requests import Request, Response
from experts.base_models import BaseModel
from experts.basis import Basis, FullBasis
from experts.materialise import coefficients, materialise_full, population_space
from infra.engines.base import Progress, check_population
from infra.engines.config import EngineConfig
from infra.engines.encoded import EncodedRequests
from infra.engines.identity import resolve
from infra.engines.tokens import Tokens
from infra.engines.vllm_adapters import adapter_ids, base_weights, merged_weights, population_adapters, room_for
from infra.engines.vllm_description import describe
from infra.engines.vllm_identity import adapter_mode, vllm_identity
from infra.engines.vllm_process import intra_op_threads
from infra.engines.vllm_requests import Row, rows_of
from infra.engines.vllm_resident import Slots, VllmResident
from infra.engines.vllm_worker import SwarmWorker
from infra.engines.workers import Report
from swarm.errors import EvaluationError, InputError
from swarm.recipes import BASE, Recipe, Space


class VllmEngine:
    """Evaluates populations with vLLM in this process; see `infra.engines.base.Engine` for what it promises.

    With vLLM's LoRA kernels a whole population is one batch. Otherwise (on a CPU, and for full models) each particle's
    weights are written over the resident ones in turn. Calls from several threads wait for each other.
    """

    slots = 1

    def __init__(self, config: EngineConfig, base: BaseModel, basis: Basis | FullBasis):
        """Load `base`; `basis` holds the experts that recipes will name.

        Raises:
            InputError: vLLM is not installed, the machine lacks the device, or vLLM can't run the base model.
            EvaluationError: there is not enough memory.

        """
        self._config, self._base = config, base
        self._identity = vllm_identity(config, base)
        self._resolved = resolve(config)
        self._lock = Lock()
        self._known = describe(base, config.vllm.max_model_len)
        self._tokens = Tokens(self._known.tokenizer, self._known.longest)
        with self._working():
            self._basis = basis.to(self._resolved.device) if isinstance(basis, Basis) else basis
            self._weights: dict[str, torch.Tensor] = {}
            self._resident = self._open(self._slots(Space.FACTORS))

    @property
    def identity(self) -> str:
        """What the answers depend on besides their inputs, as canonical JSON."""
        return self._identity

    def run(
        self, population: Sequence[Recipe], requests: Sequence[Sequence[Request]], progress: Progress | None = None
    ) -> list[list[Response]]:
        """Answer each recipe's own requests; see `infra.engines.base.Engine`.

        Raises:
            InputError: a recipe names an expert that is not loaded, or a prompt is empty or too long.
            EvaluationError: the model could not answer.
            ValueError: the recipes don't share their bases and their space, or there are not as many lists of requests.

        """
        check_population(population, requests)
        space = population_space(population)
        coefficients((*self._basis.ids, BASE), population)
        with self._lock, self._working():
            encoded = {asked: EncodedRequests(self._tokens, asked) for asked in dict.fromkeys(map(tuple, requests))}
            rows = [list(rows_of(encoded[tuple(asked)], self._tokens, self._known.ends)) for asked in requests]
            report = Report(progress, sum(map(len, requests)))
            self._make_room(self._slots(space))
            for part, adapters in self._parts(population):
                self._answer([rows[particle] for particle in part], adapters, report)
            return [[row.response() for row in of_particle] for of_particle in rows]

    def close(self) -> None:
        """Give back the memory of the model."""
        with self._lock:
            self._resident.close()
            del self._basis, self._weights

    def _open(self, slots: Slots | None) -> VllmResident:
        if slots is None and isinstance(self._basis, Basis) and not self._weights:
            self._weights = base_weights(self._basis, self._base.folder)
        return VllmResident(self._base, self._known, self._resolved, self._config.vllm, slots)

    def _slots(self, space: Space) -> Slots | None:
        """Return the room that a population needs for adapters, or None if its weights are to be merged."""
        if isinstance(self._basis, FullBasis) or adapter_mode(self._config, self._resolved) == "merged":
            return None
        rank = room_for(self._basis.rank * (len(self._basis.ids) if space is Space.PRODUCT else 1))
        modules = sorted({module.rpartition(".")[2] for module in self._basis.modules})
        if rank is None or "lm_head" in modules:  # vLLM can't give a prompt's log-probabilities under such an adapter
            return None
        return Slots(self._config.group_size, rank, tuple(modules))

    def _make_room(self, slots: Slots | None) -> None:
        """Open vLLM again where the room it has is another: a run stays in one space, so at most once in it."""
        if self._resident.closed or slots != self._resident.slots:
            self._resident.close()
            self._resident = self._open(slots)

    def _parts(self, population: Sequence[Recipe]) -> Iterator[tuple[range, list[Any]]]:
        """Install the population part by part: yield the particles that can be answered, and each one's LoRARequest."""
        slots = self._resident.slots
        if slots is None:
            for particle, recipe in enumerate(population):
                self._resident.call(SwarmWorker.swarm_load_weights, self._particle_weights(recipe))
                yield range(particle, particle + 1), [None]
            return
        for start in range(0, len(population), slots.count):
            part = population[start : start + slots.count]
            yield range(start, start + len(part)), self._install(part)

    def _particle_weights(self, recipe: Recipe) -> Iterable[tuple[str, torch.Tensor]]:
        if isinstance(self._basis, FullBasis):
            return materialise_full(self._basis, recipe)
        return merged_weights(self._basis, recipe, self._weights)

    def _install(self, part: Sequence[Recipe]) -> list[Any]:
        from vllm.lora.request import LoRARequest

        assert isinstance(self._basis, Basis)
        ids = adapter_ids(part)
        made = {
            ids[recipe.key]: adapter
            for recipe, adapter in zip(part, population_adapters(self._basis, part), strict=True)
        }
        if strangers := self._resident.call(SwarmWorker.swarm_set_adapters, made):
            raise InputError(
                f"vLLM can't adapt module {strangers[0]} of the base model: use engine.vllm.adapters: merged"
            )
        return [LoRARequest(recipe.key, ids[recipe.key], f"/in-memory/{recipe.key}") for recipe in part]

    def _answer(self, rows: Sequence[Sequence[Row]], adapters: Sequence[Any], report: Report) -> None:
        jobs = [
            (job, adapter, row)
            for of_particle, adapter in zip(rows, adapters, strict=True)
            for row in of_particle
            for job in row.jobs
        ]
        missing = {id(row): len(row.jobs) for _, _, row in jobs}

        def finished(index: int) -> None:
            row = id(jobs[index][2])
            missing[row] -= 1
            if not missing[row]:
                report.add(1)

        if not self._resident.run([(job, adapter) for job, adapter, _ in jobs], finished):
            raise EvaluationError(
                "the model's logits are NaN or infinite: a recipe's weights are too large for this dtype"
            )

    @contextmanager
    def _working(self) -> Iterator[None]:
        on_cpu = self._resolved.device.type == "cpu"
        with _engine_errors(), intra_op_threads(self._resolved.threads if on_cpu else None):
            yield


@contextmanager
def _engine_errors() -> Iterator[None]:
    try:
        yield
    except (InputError, EvaluationError):
        raise
    except (RuntimeError, MemoryError, OSError, ValueError, KeyError, AssertionError) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise EvaluationError(f"engine vllm failed: {first}") from error
