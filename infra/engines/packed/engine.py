"""The default engine: PyTorch and transformers in this process, the base model resident, populations in one batch."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import as_completed
from contextlib import contextmanager
from itertools import accumulate
from threading import Lock
from typing import TypeVar

import torch

from data.requests import Request, Response
from experts.base_models import BaseModel
from experts.bases import AnyBasis
from experts.basis import Basis
from experts.seed_basis import SeedBasis
from infra.engines.base import Progress, check_population
from infra.engines.config import EngineConfig
from infra.engines.packed.decode_loop import BatchLimits, DecodeLoop
from infra.engines.packed.encoded_call import EncodedCall, EncodedSet
from infra.engines.packed.expert_weights import AdapterWeights, FullModelWeights
from infra.engines.packed.identity import packed_identity
from infra.engines.packed.model_runner import ModelRunner
from infra.engines.packed.multi_lora import LoraModules, PopulationLoras
from infra.engines.packed.population_weights import PopulationWeights
from infra.engines.packed.resident_model import ResidentModel
from infra.engines.packed.scheduler import Batch
from infra.engines.packed.scoring import score
from infra.engines.packed.seed_weights import seed_weights
from infra.engines.resolved import Resolved, resolve
from infra.engines.tokens import Choices, Prompt, Tokens
from infra.engines.workers import ProgressCounter, submit, worker_pool
from swarm.errors import EvaluationError
from swarm.recipes import Recipe

logger = logging.getLogger(__name__)

T = TypeVar("T")

Answers = list[list[Response | None]]
BatchResult = tuple[Batch, Sequence[Sequence[Response]]]
"""A batch, and the responses of its particles (or of its requests' owners, as one) to its requests."""

_LEAST_TOKENS = 64
"""A GPU that has no memory for so few tokens has none for the model."""


class TransformersEngine:
    """Evaluates populations with transformers; see `infra.engines.base.Engine` for what it promises.

    Batches are independent of each other, so workers (threads on a CPU) take them from one list and share the weights;
    which worker takes which batch changes nothing in the answers. Calls from several threads wait for each other.
    """

    slots = 1

    def __init__(self, config: EngineConfig, base: BaseModel, basis: AnyBasis):
        """Load `base`; `basis` holds what recipes will name.

        Raises:
            InputError: the machine lacks the device, the base model can't be loaded, or the basis adapts a module
                that is no Linear module.
            EvaluationError: there is not enough memory.

        """
        self._resolved = resolve(config)
        self._identity = packed_identity(config, base)
        self._lock = Lock()
        with _engine_errors():
            self._resident = ResidentModel(base, self._resolved.device, self._resolved.dtype)
            self._weights = _population_weights(basis, self._resident)
            self._modules = LoraModules(self._resident.model, self._weights.modules)
        self._limits = _batch_limits(self._resolved, self._resident)
        self._tokens = Tokens(self._resident.tokenizer, self._resident.longest)
        self._pool = worker_pool(self._resolved.device, self._resolved.workers, self._resolved.threads)

    @property
    def identity(self) -> str:
        """What the answers depend on besides their inputs, as canonical JSON."""
        return self._identity

    def run(
        self, population: Sequence[Recipe], requests: Sequence[Sequence[Request]], progress: Progress | None = None
    ) -> list[list[Response]]:
        """Answer each recipe's own requests; see `infra.engines.base.Engine`.

        A GPU that runs out of memory is given half as much at a time from then on, and answers again.

        Raises:
            InputError: a recipe names an expert that is not loaded, or a prompt is empty or too long.
            EvaluationError: the model could not answer.
            ValueError: the recipes don't share their bases and their space, or there are not as many lists of requests.

        """
        check_population(population, requests)
        with self._lock, _engine_errors():
            calls = [EncodedCall(self._tokens, part) for part in cut(requests, self._weights.sizes(population))]
            while (answers := self._run_if_it_fits(population, calls, progress)) is None:
                torch.cuda.empty_cache()
                self._limits = _half(self._limits)
            return answers

    def close(self) -> None:
        """Give back the memory of the model and its workers."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        del self._resident, self._modules, self._weights
        if self._resolved.device.type == "cuda":
            torch.cuda.empty_cache()

    def _run_if_it_fits(
        self, population: Sequence[Recipe], calls: Sequence[EncodedCall], progress: Progress | None
    ) -> list[list[Response]] | None:
        """Return the answers, or None if the GPU's memory did not suffice; the tensors of the failed pass are gone."""
        try:
            return self._run(population, calls, progress)
        except torch.OutOfMemoryError:
            return None

    def _run(
        self, population: Sequence[Recipe], calls: Sequence[EncodedCall], progress: Progress | None
    ) -> list[list[Response]]:
        counter = ProgressCounter(progress, sum(sum(call.counts) for call in calls))
        answers: Answers = []
        for loras, call in zip(self._weights.loras(population), calls, strict=True):
            answers += self._answer(loras, call, counter)
        return [[response for response in of_particle if response is not None] for of_particle in answers]

    def _answer(self, loras: PopulationLoras, call: EncodedCall, counter: ProgressCounter) -> Answers:
        answers: Answers = [[None] * count for count in call.counts]
        work = [(encoded, compute) for encoded in call.sets for compute in self._batches(loras, encoded, counter)]
        with submit(self._pool, [compute for _, compute in work], counter) as futures:
            set_of = dict(zip(futures, (encoded for encoded, _ in work), strict=True))
            for future in as_completed(futures):
                set_of[future].store(*future.result(), answers)
        return answers

    def _batches(
        self, loras: PopulationLoras, encoded: EncodedSet, counter: ProgressCounter
    ) -> Iterator[Callable[[], BatchResult]]:
        """Yield functions that compute the batches of `encoded`."""
        split = self._resolved.device.type == "cpu"
        prompts, choices = encoded.encoded.prompts, encoded.encoded.choices
        for batch in encoded.batches(prompts, self._limits.cache_tokens, split):
            yield self._generation(self._runner(loras, encoded, batch), batch, prompts, counter)
        for batch in encoded.batches(choices, self._limits.cache_tokens, split):
            yield self._scoring(self._runner(loras, encoded, batch), batch, choices, counter)

    def _generation(
        self, runner: ModelRunner, batch: Batch, prompts: Mapping[int, Prompt], counter: ProgressCounter
    ) -> Callable[[], BatchResult]:
        requests, limits = [prompts[request] for request in batch.requests], self._limits
        return lambda: (batch, DecodeLoop(runner, requests, batch.prefix, limits, counter.add).run())

    def _scoring(
        self, runner: ModelRunner, batch: Batch, choices: Mapping[int, Choices], counter: ProgressCounter
    ) -> Callable[[], BatchResult]:
        requests, limits = [choices[request] for request in batch.requests], self._limits
        return lambda: (batch, score(runner, requests, batch.prefix, limits, counter.add))

    def _runner(self, loras: PopulationLoras, encoded: EncodedSet, batch: Batch) -> ModelRunner:
        particles, owners = encoded.owners(batch)
        return ModelRunner(self._resident, self._modules, loras.select(particles), owners)


def _population_weights(basis: AnyBasis, model: ResidentModel) -> PopulationWeights:
    """Return what turns recipes of `basis` into weights of `model`."""
    if isinstance(basis, SeedBasis):
        return seed_weights(basis, model)
    return AdapterWeights(basis, model) if isinstance(basis, Basis) else FullModelWeights(basis, model)


def cut(items: Sequence[T], sizes: Sequence[int]) -> list[Sequence[T]]:
    """Cut `items` into runs of these sizes."""
    ends = accumulate(sizes)
    return [items[end - size : end] for size, end in zip(sizes, ends, strict=True)]


def _batch_limits(resolved: Resolved, model: ResidentModel) -> BatchLimits:
    return BatchLimits(resolved.token_budget, max(1, int(resolved.cache_gib * 2**30) // model.cache_bytes))


def _half(limits: BatchLimits) -> BatchLimits:
    """Return half of `limits`, and say so; raises `EvaluationError` where nothing is left to be halved."""
    if limits.token_budget < 2 * _LEAST_TOKENS:
        raise EvaluationError("the GPU has no memory left for a batch: give it a smaller base model or more memory")
    half = BatchLimits(limits.token_budget // 2, max(1, limits.cache_tokens // 2))
    logger.warning(
        "out of GPU memory: going on with %d tokens a pass (engine.token_budget) and half the cache (engine.cache_gib)",
        half.token_budget,
    )
    return half


@contextmanager
def _engine_errors() -> Iterator[None]:
    try:
        yield
    except EvaluationError:
        raise
    except (RuntimeError, MemoryError, OSError) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise EvaluationError(f"engine transformers failed: {first}") from error
