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
from infra.engines.packed.decoding import GreedyJob, Limits
from infra.engines.packed.encoded import EncodedBlock, EncodedCall
from infra.engines.packed.expert_weights import AdapterMembers, FullMembers
from infra.engines.packed.identity import packed_identity
from infra.engines.packed.packing import Job
from infra.engines.packed.population_weights import Members
from infra.engines.packed.reading import Reader
from infra.engines.packed.resident import ResidentModel
from infra.engines.packed.scoring import score
from infra.engines.packed.seed_weights import seeded_members
from infra.engines.packed.stacks import AdaptedModules, Stack
from infra.engines.resolved import Resolved, resolve
from infra.engines.tokens import Choices, Prompt, Tokens
from infra.engines.workers import Report, submitted, worker_pool
from swarm.errors import EvaluationError
from swarm.recipes import Recipe

logger = logging.getLogger(__name__)

T = TypeVar("T")

Answers = list[list[Response | None]]
Result = tuple[Job, Sequence[Sequence[Response]]]
"""What a job's particles (or its rows' owners, as one) answered to its rows."""

_LEAST_TOKENS = 64
"""A GPU that has no memory for so few tokens has none for the model."""


class TransformersEngine:
    """Evaluates populations with transformers; see `infra.engines.base.Engine` for what it promises.

    Jobs are independent of each other, so workers (threads on a CPU) take them from one list and share the weights;
    which worker takes which job changes nothing in the answers. Calls from several threads wait for each other.
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
            self._members = _members(basis, self._resident)
            self._adapted = AdaptedModules(self._resident.model, self._members.modules)
        self._limits = _limits(self._resolved, self._resident)
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
            calls = [EncodedCall(self._tokens, part) for part in cut(requests, self._members.sizes(population))]
            while (answers := self._run_if_it_fits(population, calls, progress)) is None:
                torch.cuda.empty_cache()
                self._limits = _halved(self._limits)
            return answers

    def close(self) -> None:
        """Give back the memory of the model and its workers."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        del self._resident, self._adapted, self._members
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
        report = Report(progress, sum(sum(call.counts) for call in calls))
        answers: Answers = []
        for stack, call in zip(self._members.stacks(population), calls, strict=True):
            answers += self._answer(stack, call, report)
        return [[response for response in row if response is not None] for row in answers]

    def _answer(self, stack: Stack, call: EncodedCall, report: Report) -> Answers:
        answers: Answers = [[None] * count for count in call.counts]
        jobs = [(block, job) for block in call.blocks for job in self._jobs(stack, block, report)]
        with submitted(self._pool, [job for _, job in jobs], report) as futures:
            of_future = dict(zip(futures, (block for block, _ in jobs), strict=True))
            for future in as_completed(futures):
                of_future[future].put(*future.result(), answers)
        return answers

    def _jobs(self, stack: Stack, block: EncodedBlock, report: Report) -> Iterator[Callable[[], Result]]:
        split = self._resolved.device.type == "cpu"
        for job in block.jobs(block.rows.prompts, self._limits.cache_tokens, split):
            yield self._generation(self._reader(stack, block, job), job, block.rows.prompts, report)
        for job in block.jobs(block.rows.choices, self._limits.cache_tokens, split):
            yield self._scoring(self._reader(stack, block, job), job, block.rows.choices, report)

    def _generation(
        self, reader: Reader, job: Job, prompts: Mapping[int, Prompt], report: Report
    ) -> Callable[[], Result]:
        rows, limits = [prompts[row] for row in job.rows], self._limits
        return lambda: (job, GreedyJob(reader, rows, job.prefix, limits, report.add).run())

    def _scoring(
        self, reader: Reader, job: Job, choices: Mapping[int, Choices], report: Report
    ) -> Callable[[], Result]:
        rows, limits = [choices[row] for row in job.rows], self._limits
        return lambda: (job, score(reader, rows, job.prefix, limits, report.add))

    def _reader(self, stack: Stack, block: EncodedBlock, job: Job) -> Reader:
        particles, owners = block.readers(job)
        return Reader(self._resident, self._adapted, stack.cut(particles), owners)


def _members(basis: AnyBasis, resident: ResidentModel) -> Members:
    """Return the members whose recipes are made from `basis`."""
    if isinstance(basis, SeedBasis):
        return seeded_members(basis, resident)
    return AdapterMembers(basis, resident) if isinstance(basis, Basis) else FullMembers(basis, resident)


def cut(items: Sequence[T], sizes: Sequence[int]) -> list[Sequence[T]]:
    """Cut `items` into runs of these sizes."""
    ends = accumulate(sizes)
    return [items[end - size : end] for size, end in zip(sizes, ends, strict=True)]


def _limits(resolved: Resolved, resident: ResidentModel) -> Limits:
    return Limits(resolved.token_budget, max(1, int(resolved.cache_gib * 2**30) // resident.cache_bytes))


def _halved(limits: Limits) -> Limits:
    """Return half of `limits`, and say so; raises `EvaluationError` where nothing is left to be halved."""
    if limits.token_budget < 2 * _LEAST_TOKENS:
        raise EvaluationError("the GPU has no memory left for a batch: give it a smaller base model or more memory")
    half = Limits(limits.token_budget // 2, max(1, limits.cache_tokens // 2))
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
