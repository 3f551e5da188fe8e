"""The vLLM engine: the base model resident in vLLM, particles handed over from memory as adapters or as weights."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import Any

from data.requests import Request, Response
from experts.base_models import BaseModel
from experts.bases import AnyBasis
from experts.basis import Basis
from experts.seed_basis import SeedBasis
from infra.engines.base import Progress, check_population
from infra.engines.config import EngineConfig
from infra.engines.resolved import Resolved, resolve
from infra.engines.tokens import EncodedRequests, Tokens
from infra.engines.vllm.adapters import adapter_ids
from infra.engines.vllm.description import describe
from infra.engines.vllm.expert_population import ExpertParticles, FullParticles
from infra.engines.vllm.identity import vllm_identity
from infra.engines.vllm.population import Particles
from infra.engines.vllm.process import intra_op_threads
from infra.engines.vllm.requests import Row, rows_of
from infra.engines.vllm.resident import Slots, VllmResident
from infra.engines.vllm.seed_population import SeededParticles
from infra.engines.vllm.worker import SwarmWorker
from infra.engines.workers import Report
from swarm.errors import EvaluationError, InputError
from swarm.recipes import Recipe


class VllmEngine:
    """Evaluates populations with vLLM in this process; see `infra.engines.base.Engine` for what it promises.

    With vLLM's LoRA kernels a whole population is one batch. Otherwise (on a CPU, and for full models) each particle's
    weights are written over the resident ones in turn. Calls from several threads wait for each other.
    """

    slots = 1

    def __init__(self, config: EngineConfig, base: BaseModel, basis: AnyBasis):
        """Load `base`; `basis` holds what recipes will name.

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
            self._particles = _particles(basis, base, config, self._resolved)
            self._resident = self._open(self._particles.slots())

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
        slots = self._particles.slots(population)
        with self._lock, self._working():
            encoded = {asked: EncodedRequests(self._tokens, asked) for asked in dict.fromkeys(map(tuple, requests))}
            rows = [list(rows_of(encoded[tuple(asked)], self._tokens, self._known.ends)) for asked in requests]
            report = Report(progress, sum(map(len, requests)))
            self._make_room(slots)
            for part, adapters in self._parts(population):
                self._answer([rows[particle] for particle in part], adapters, report)
            return [[row.response() for row in of_particle] for of_particle in rows]

    def close(self) -> None:
        """Give back the memory of the model."""
        with self._lock:
            self._resident.close()
            del self._particles

    def _open(self, slots: Slots | None) -> VllmResident:
        return VllmResident(self._base, self._known, self._resolved, self._config.vllm, slots)

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
                self._resident.call(SwarmWorker.swarm_load_weights, self._particles.weights(recipe))
                yield range(particle, particle + 1), [None]
            return
        first = 0
        for size in self._particles.sizes(population):
            self._resident.call(SwarmWorker.swarm_load_weights, self._particles.shared(population[first]))
            for start in range(first, first + size, slots.count):
                part = population[start : min(start + slots.count, first + size)]
                yield range(start, start + len(part)), self._install(part)
            first += size

    def _install(self, part: Sequence[Recipe]) -> list[Any]:
        from vllm.lora.request import LoRARequest

        ids, made = adapter_ids(part), self._particles.adapters(part)
        wanted = {ids[recipe.key]: adapter for recipe, adapter in zip(part, made, strict=True) if adapter is not None}
        if strangers := self._resident.call(SwarmWorker.swarm_set_adapters, wanted):
            raise InputError(
                f"vLLM can't adapt module {strangers[0]} of the base model: use engine.vllm.adapters: merged"
            )
        return [
            None if adapter is None else LoRARequest(recipe.key, ids[recipe.key], f"/in-memory/{recipe.key}")
            for recipe, adapter in zip(part, made, strict=True)
        ]

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


def _particles(basis: AnyBasis, base: BaseModel, config: EngineConfig, resolved: Resolved) -> Particles:
    """Return the particles whose recipes are made from `basis`."""
    if isinstance(basis, SeedBasis):
        return SeededParticles(basis, config, resolved)
    return ExpertParticles(basis, base, config, resolved) if isinstance(basis, Basis) else FullParticles(basis)


@contextmanager
def _engine_errors() -> Iterator[None]:
    try:
        yield
    except (InputError, EvaluationError):
        raise
    except (RuntimeError, MemoryError, OSError, ValueError, KeyError, AssertionError) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise EvaluationError(f"engine vllm failed: {first}") from error
