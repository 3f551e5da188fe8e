"""Model Swarms: particle swarm optimisation over the weights of language models (arXiv 2410.11163).

https://arxiv.org/abs/2410.11163; exact definitions and the public code's differences in docs/algorithms.md §1.

    state = initialise(parameters, seed, n_experts)
    while True:
        state = tell(parameters, state, utilities of state.positions where state.to_evaluate)
        if stop_reason(parameters, state):
            break
        state = ask(parameters, seed, state)
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from swarm.arrays import Floats, frozen
from swarm.bests import ParticleUtilities, global_best, global_worst, with_personal_bests
from swarm.draws import Draw, generator
from swarm.errors import EvaluationError
from swarm.move import move
from swarm.parameters import Parameters
from swarm.state import State

S = TypeVar("S", bound=State)

Utilities = tuple[float | None, ...]


def ask(parameters: Parameters, seed: int, state: S) -> S:
    """Return the next iteration, moved and not yet evaluated.

    A restarted particle moves in the same iteration, from its personal best and from rest, as in the public code.

    Args:
        parameters: the search's parameters.
        seed: the run's seed.
        state: an iteration whose utilities were told.

    Raises:
        InputError: the search diverged beyond what float64 holds.
        ValueError: the utilities of `state` were not told.

    """
    best, worst = state.global_best, state.global_worst
    if not state.told or best is None or worst is None:
        raise ValueError(f"iteration {state.iteration} was not told its utilities")
    iteration = state.iteration + 1
    restarted = _restarts(parameters, state)
    x = np.where(restarted[:, None], state.personal_bests, state.positions)  # x ← p
    v = np.where(restarted[:, None], 0.0, state.velocities)  # v ← 0
    draws = _draws(seed, iteration, len(x))
    step_length = _step_length(parameters, state)
    with np.errstate(over="ignore", invalid="ignore"):  # a search that diverges is refused by the new State
        x, v = move(parameters, step_length, draws, x, v, state.personal_bests, best.coefficients, worst.coefficients)
        x, v = _with_row_sum(x, state.POSITION_SUM), _with_row_sum(v, state.VELOCITY_SUM)
    to_evaluate = _to_evaluate(parameters, seed, iteration)
    return replace(
        state,
        iteration=iteration,
        step_length=step_length,
        positions=frozen(x),
        velocities=frozen(v),
        draws=frozen(draws),
        utilities=_carried(parameters, state.utilities, to_evaluate),
        restarted=tuple(restarted.tolist()),
        last_restarts=tuple(
            iteration if now else last for now, last in zip(restarted, state.last_restarts, strict=True)
        ),
        to_evaluate=to_evaluate,
        told=False,
    )


def _with_row_sum(rows: Floats, total: float | None) -> Floats:
    """Take back the rounding error of the rows' sums, so that it never adds up over the iterations."""
    if total is None:
        return rows
    corrected: Floats = rows - (rows.sum(axis=1, keepdims=True) - total) / rows.shape[1]
    return corrected


def _draws(seed: int, iteration: int, particles: int) -> Floats:
    """Return r [N, 4] ~ U(0, 1]: never 0, so that C > 0."""
    return np.stack([1.0 - generator(seed, iteration, i, Draw.MOVE).random(4) for i in range(particles)])


def _step_length(parameters: Parameters, state: State) -> float:
    """Return λ of the next move."""
    if state.iteration == 0:
        return float(parameters.step_length)
    return max(state.step_length * parameters.step_decay, float(parameters.min_step_length))  # λ ← max(λ φ_λ, λ_min)


def _restarts(parameters: Parameters, state: State) -> NDArray[np.bool_]:
    """Return [N], which particles restart in the next move: those whose personal best has become too old."""
    now, patience = state.iteration + 1, parameters.restart_patience
    ages = zip(state.personal_best_iterations, state.last_restarts, strict=True)
    return np.array([now - found >= patience and _cooled(parameters, now, last) for found, last in ages])


def _cooled(parameters: Parameters, now: int, last_restart: int | None) -> bool:
    """Tell whether a particle may restart again; the public code has no cool-down."""
    return parameters.reference or last_restart is None or now - last_restart >= parameters.restart_patience


def _to_evaluate(parameters: Parameters, seed: int, iteration: int) -> tuple[bool, ...]:
    """Return [N], which particles drop-K (the whole iteration) and drop-N (a particle) leave to be evaluated."""
    kept = generator(seed, iteration, 0, Draw.DROP_ITERATION).random() >= parameters.drop_iteration
    draws = [generator(seed, iteration, i, Draw.DROP_PARTICLE).random() for i in range(parameters.particles)]
    return tuple(bool(kept and draw >= parameters.drop_particle) for draw in draws)


def _carried(parameters: Parameters, utilities: Utilities, to_evaluate: tuple[bool, ...]) -> Utilities:
    """Return the utilities before an evaluation: in the public code a skipped particle keeps its old one."""
    pairs = zip(utilities, to_evaluate, strict=True)
    return tuple(old if parameters.reference and not evaluated else None for old, evaluated in pairs)


def tell(parameters: Parameters, state: S, utilities: Sequence[float | None]) -> S:
    """Return this iteration with its utilities, personal bests, global best and global worst.

    Args:
        parameters: the search's parameters.
        state: what `initialise` or `ask` returned.
        utilities: [N], higher is better; None exactly where `state.to_evaluate` is False.

    Raises:
        EvaluationError: a utility is not finite.
        ValueError: the iteration was told before, or utilities are missing, superfluous or of the wrong number.

    """
    _check_utilities(state, utilities)
    # + 0.0: a database's JSON knows no negative zero.
    scored = [(i, float(utility) + 0.0) for i, utility in enumerate(utilities) if utility is not None]
    best = global_best(state, scored)
    counted = bool(scored) or parameters.reference  # the public code counts dropped iterations too
    told = replace(
        with_personal_bests(state, scored),
        utilities=_merged(state.utilities, scored),
        told=True,
        global_best=best,
        global_worst=global_worst(state, scored),
        stale=0 if best is not state.global_best else state.stale + counted,
    )
    if state.iteration == 0 and parameters.initial_velocity == "best" and best is not None:
        told = replace(told, velocities=frozen(best.coefficients - told.positions))  # v_i = g − x_i
    return told


def _check_utilities(state: State, utilities: Sequence[float | None]) -> None:
    if state.told:
        raise ValueError(f"iteration {state.iteration} was told its utilities before")
    if len(utilities) != len(state.to_evaluate):
        raise ValueError(f"{len(utilities)} utilities for {len(state.to_evaluate)} particles")
    for particle, (utility, evaluated) in enumerate(zip(utilities, state.to_evaluate, strict=True)):
        if evaluated is not (utility is not None):
            expected = "is to be evaluated but has no utility" if evaluated else "is skipped but has a utility"
            raise ValueError(f"particle {particle} of iteration {state.iteration} {expected}")
        if utility is not None and not math.isfinite(utility):
            raise EvaluationError(f"particle {particle} of iteration {state.iteration} has the utility {utility}")


def _merged(carried: Utilities, scored: ParticleUtilities) -> Utilities:
    utilities = dict(enumerate(carried)) | dict(scored)
    return tuple(utilities[i] for i in range(len(carried)))


def stop_reason(parameters: Parameters, state: State) -> str | None:
    """Return why the search is over (`patience` or `max_iterations`), or None: it goes on, or waits to be told.

    The public code stops one stale iteration early, but never before iteration `patience`.
    """
    if not state.told:
        return None
    early = parameters.reference and state.iteration >= parameters.patience
    if state.stale >= parameters.patience - early:
        return "patience"
    return "max_iterations" if state.iteration >= parameters.max_iterations else None
