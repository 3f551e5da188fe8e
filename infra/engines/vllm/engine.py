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
from infra.engines.vllm.expert_population import ExpertPopulation, FullModelPopulation
from infra.engines.vllm.identity import vllm_identity
from infra.engines.vllm.population import VllmPopulation
from infra.engines.vllm.process import intra_op_threads
from infra.engines.vllm.requests import PendingRequest, pending_requests
from infra.engines.vllm.resident import LoraSlots, VllmResident
from infra.engines.vllm.seed_population import SeedPopulation
from infra.engines.vllm.worker import SwarmWorker
from infra.engines.workers import ProgressCounter
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
        self._description = describe(base, config.vllm.max_model_len)
        self._tokens = Tokens(self._description.tokenizer, self._description.longest)
        with self._working():
            self._population = _vllm_population(basis, base, config, self._resolved)
            self._resident = self._open(self._population.slots())

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
        slots = self._population.slots(population)
        with self._lock, self._working():
            encoded = {key: EncodedRequests(self._tokens, key) for key in dict.fromkeys(map(tuple, requests))}
            ends = self._description.end_tokens
            pending = [list(pending_requests(encoded[tuple(own)], self._tokens, ends)) for own in requests]
            counter = ProgressCounter(progress, sum(map(len, requests)))
            self._require_slots(slots)
            for part, adapters in self._parts(population):
                self._answer([pending[particle] for particle in part], adapters, counter)
            return [[request.response() for request in of_particle] for of_particle in pending]

    def close(self) -> None:
        """Give back the memory of the model."""
        with self._lock:
            self._resident.close()
            del self._population

    def _open(self, slots: LoraSlots | None) -> VllmResident:
        return VllmResident(self._base, self._description, self._resolved, self._config.vllm, slots)

    def _require_slots(self, slots: LoraSlots | None) -> None:
        """Open vLLM again if it has other slots: at most once in a run, which stays in one space."""
        if self._resident.closed or slots != self._resident.slots:
            self._resident.close()
            self._resident = self._open(slots)

    def _parts(self, population: Sequence[Recipe]) -> Iterator[tuple[range, list[Any]]]:
        """Install the population part by part: yield the particles of the part, and the LoRARequest of each."""
        slots = self._resident.slots
        if slots is None:
            for particle, recipe in enumerate(population):
                self._resident.call(SwarmWorker.swarm_load_weights, self._population.weights(recipe))
                yield range(particle, particle + 1), [None]
            return
        first = 0
        for size in self._population.sizes(population):
            self._resident.call(SwarmWorker.swarm_load_weights, self._population.weights_below(population[first]))
            for start in range(first, first + size, slots.count):
                part = population[start : min(start + slots.count, first + size)]
                yield range(start, start + len(part)), self._install(part)
            first += size

    def _install(self, part: Sequence[Recipe]) -> list[Any]:
        from vllm.lora.request import LoRARequest

        ids, adapters = adapter_ids(part), self._population.adapters(part)
        updates = {ids[recipe.key]: own for recipe, own in zip(part, adapters, strict=True) if own is not None}
        if unsupported := self._resident.call(SwarmWorker.swarm_set_adapters, updates):
            raise InputError(
                f"vLLM can't adapt module {unsupported[0]} of the base model: use engine.vllm.adapters: merged"
            )
        return [
            None if adapter is None else LoRARequest(recipe.key, ids[recipe.key], f"/in-memory/{recipe.key}")
            for recipe, adapter in zip(part, adapters, strict=True)
        ]

    def _answer(
        self, pending: Sequence[Sequence[PendingRequest]], adapters: Sequence[Any], counter: ProgressCounter
    ) -> None:
        """Have vLLM finish the pending requests of each particle, which has the adapter of the same index."""
        work = [
            (vllm_request, adapter, request)
            for of_particle, adapter in zip(pending, adapters, strict=True)
            for request in of_particle
            for vllm_request in request.vllm_requests
        ]
        unfinished = {id(request): len(request.vllm_requests) for _, _, request in work}

        def on_finished(index: int) -> None:
            request = id(work[index][2])
            unfinished[request] -= 1
            if not unfinished[request]:
                counter.add(1)

        if not self._resident.run([(vllm_request, adapter) for vllm_request, adapter, _ in work], on_finished):
            raise EvaluationError(
                "the model's logits are NaN or infinite: a recipe's weights are too large for this dtype"
            )

    @contextmanager
    def _working(self) -> Iterator[None]:
        on_cpu = self._resolved.device.type == "cpu"
        with _engine_errors(), intra_op_threads(self._resolved.threads if on_cpu else None):
            yield


def _vllm_population(basis: AnyBasis, base: BaseModel, config: EngineConfig, resolved: Resolved) -> VllmPopulation:
    """Return what turns recipes of `basis` into adapters or weights for vLLM."""
    if isinstance(basis, SeedBasis):
        return SeedPopulation(basis, config, resolved)
    return ExpertPopulation(basis, base, config, resolved) if isinstance(basis, Basis) else FullModelPopulation(basis)


@contextmanager
def _engine_errors() -> Iterator[None]:
    try:
        yield
    except (InputError, EvaluationError):
        raise
    except (RuntimeError, MemoryError, OSError, ValueError, KeyError, AssertionError) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise EvaluationError(f"engine vllm failed: {first}") from error
