"""Evolution Strategies at Scale (arXiv 2509.24372; docs/algorithms.md §3): fine-tuning from rewards alone.

    draw seeds;  ε_k = N(0, I) from seed k;  R_k = f(θ + σ ε_k);  z = shaped(R);  θ ← θ + (α/N) Σ z_k ε_k

Nothing here is as large as θ: a search is seeds, rewards, and the coefficients that follow from them.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from swarm.arrays import Floats
from swarm.draws import MAX_SEED, Draw, generator
from swarm.errors import EvaluationError
from swarm.es_parameters import EsParameters, Shaping
from swarm.es_state import BestMean, EsState
from swarm.seeds import Update, extend_id

_MOST_SEEDS = 1 << 20
"""The most seeds of an iteration, so that two iterations never share a seed."""


@dataclass(frozen=True)
class PopulationMember:
    """One perturbation of an iteration: θ + scale · ε(seed)."""

    seed: int
    scale: float


def members(parameters: EsParameters, seed: int, state: EsState) -> tuple[PopulationMember, ...]:
    """Return the population around θ_t; none in the last iteration, whose mean is only measured.

    With `antithetic` members come in pairs (+σ ε, −σ ε).
    """
    if state.iteration >= parameters.max_iterations:
        return ()
    signs = (1, -1) if parameters.antithetic else (1,)
    return tuple(
        PopulationMember(noise_seed, sign * parameters.sigma)
        for noise_seed in seeds(seed, state.iteration, parameters.seeds)
        for sign in signs
    )


def seeds(seed: int, iteration: int, count: int) -> tuple[int, ...]:
    """Return the seeds of an iteration's noises, 0 … 2⁶³ − 1: a counter that the run's seed sets off.

    All seeds of a run differ; those of two runs do, but for one chance in billions.
    """
    if count > _MOST_SEEDS:
        raise ValueError(f"{count} seeds in an iteration: {_MOST_SEEDS} at most")
    offset = int(generator(seed, 0, 0, Draw.NOISE).integers(MAX_SEED))
    return tuple((offset + iteration * _MOST_SEEDS + k) % (MAX_SEED + 1) for k in range(count))


def batch(parameters: EsParameters, seed: int, iteration: int, examples: int) -> tuple[int, ...]:
    """Return the indices, rising, of the examples (of `examples`) that the members of an iteration answer.

    Every example is asked once before any is asked again, in an order that each such round draws anew.
    """
    size = examples if parameters.batch is None else min(parameters.batch, examples)
    positions = range(iteration * size, (iteration + 1) * size)
    rounds = {
        position // examples: _round(seed, position // examples, examples) for position in (positions[0], positions[-1])
    }
    return tuple(sorted({rounds[position // examples][position % examples] for position in positions}))


def _round(seed: int, number: int, examples: int) -> list[int]:
    keys = generator(seed, number, 0, Draw.BATCH).random(examples)
    return [int(example) for example in np.argsort(keys, kind="stable")]


def shape_rewards(rewards: Sequence[float], shaping: Shaping) -> Floats:
    """Return the weight of each reward; their sum is 0, and all are 0 where all rewards are equal."""
    values = np.asarray(rewards, dtype=np.float64)
    if values.min() == values.max():
        return np.zeros_like(values)
    if shaping == "z_score":
        z: Floats = (values - values.mean()) / (values.std() + 1e-8)  # ddof 0
        return z
    _, value_index, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts + 1) / 2)[value_index]  # equal rewards share the mean of their ranks
    centred_ranks: Floats = ranks / (len(values) - 1) - 0.5
    return centred_ranks


def step(parameters: EsParameters, population: Sequence[PopulationMember], rewards: Sequence[float]) -> Update | None:
    """Return the update that follows from the rewards of `population`; None if all rewards are equal."""
    weights = shape_rewards(rewards, parameters.shaping)
    if not weights.any():
        return None
    signs = [math.copysign(1.0, member.scale) for member in population]
    steps = parameters.learning_rate / len(population) * weights * signs  # (α/N) z_k, mirrored members by −ε
    totals: dict[int, float] = {}
    for member, coefficient in zip(population, steps.tolist(), strict=True):
        totals[member.seed] = totals.get(member.seed, 0.0) + coefficient
    return Update(tuple(totals), tuple(totals.values()), 1.0 - parameters.weight_decay)


def is_measured(parameters: EsParameters, iteration: int) -> bool:
    """Tell whether the mean of `iteration` is measured on the held-out examples: every k-th, and the last."""
    return iteration % parameters.held_out_every == 0 or iteration == parameters.max_iterations


def tell(
    parameters: EsParameters, seed: int, state: EsState, rewards: Sequence[float], held_out: float | None
) -> EsState:
    """Return the state with the rewards of its `members`, the update from them, and its mean's held-out reward.

    Raises:
        EvaluationError: a reward is not finite.
        ValueError: the state was told before, or a reward is missing or was not asked for.

    """
    population = members(parameters, seed, state)
    _check(parameters, state, len(population), rewards, held_out)
    update = step(parameters, population, rewards) if population else None
    next_state = replace(
        state,
        rewards=tuple(float(reward) for reward in rewards),
        update=update,
        held_out=held_out,
        evaluations=state.evaluations + len(population),
        skipped=state.skipped + (update is None and bool(population)),
        told=True,
    )
    return next_state if held_out is None else _with_best(next_state, held_out)


def ask(state: EsState) -> EsState:
    """Return the next iteration, at θ_{t+1}; `ValueError` if `state` was not told."""
    if not state.told:
        raise ValueError(f"iteration {state.iteration} was not told its rewards")
    journal = state.journal if state.update is None else extend_id(state.journal, state.update)
    return replace(
        state, iteration=state.iteration + 1, journal=journal, rewards=(), update=None, held_out=None, told=False
    )


def stop_reason(parameters: EsParameters, state: EsState) -> str | None:
    """Return why the search is over (`patience` or `max_iterations`), or None: it goes on, or waits to be told."""
    if not state.told:
        return None
    if parameters.patience is not None and state.stale >= parameters.patience:
        return "patience"
    return "max_iterations" if state.iteration >= parameters.max_iterations else None


def _with_best(state: EsState, held_out: float) -> EsState:
    """Return the state with its mean as the best mean if its reward is the highest so far; the first wins ties."""
    if state.best is None or held_out > state.best.reward:
        return replace(state, best=BestMean(state.iteration, held_out, state.journal), stale=0)
    return replace(state, stale=state.stale + 1)


def _check(
    parameters: EsParameters, state: EsState, count: int, rewards: Sequence[float], held_out: float | None
) -> None:
    if state.told:
        raise ValueError(f"iteration {state.iteration} was told its rewards before")
    if len(rewards) != count:
        raise ValueError(f"{len(rewards)} rewards for {count} members")
    if (held_out is not None) is not is_measured(parameters, state.iteration):
        raise ValueError(f"iteration {state.iteration}: the held-out reward is {held_out}, which is not what was asked")
    for reward in (*rewards, *([] if held_out is None else [held_out])):
        if not math.isfinite(reward):
            raise EvaluationError(f"iteration {state.iteration} has the reward {reward}")
