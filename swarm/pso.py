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

from swarm.arrays import Floats, read_only
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
    restarts = _restarts(parameters, state)
    x = np.where(restarts[:, None], state.personal_bests, state.positions)  # x ← p
    v = np.where(restarts[:, None], 0.0, state.velocities)  # v ← 0
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
        positions=read_only(x),
        velocities=read_only(v),
        draws=read_only(draws),
        utilities=_carry_over_utilities(parameters, state.utilities, to_evaluate),
        restarted=tuple(restarts.tolist()),
        last_restarts=tuple(
            iteration if now else last for now, last in zip(restarts, state.last_restarts, strict=True)
        ),
        to_evaluate=to_evaluate,
        told=False,
    )


def _with_row_sum(rows: Floats, total: float | None) -> Floats:
    """Take back the rounding error of the rows' sums, so that it never adds up over the iterations."""
    if total is None:
        return rows
    corrected_rows: Floats = rows - (rows.sum(axis=1, keepdims=True) - total) / rows.shape[1]
    return corrected_rows


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
    return np.array(
        [now - best_iteration >= patience and _may_restart(parameters, now, last) for best_iteration, last in ages]
    )


def _may_restart(parameters: Parameters, now: int, last_restart: int | None) -> bool:
    """Tell whether a particle may restart again; the public code has no cool-down."""
    return parameters.reference or last_restart is None or now - last_restart >= parameters.restart_patience


def _to_evaluate(parameters: Parameters, seed: int, iteration: int) -> tuple[bool, ...]:
    """Return [N], which particles drop-K (the whole iteration) and drop-N (a particle) leave to be evaluated."""
    keeps_iteration = generator(seed, iteration, 0, Draw.DROP_ITERATION).random() >= parameters.drop_iteration
    draws = [generator(seed, iteration, i, Draw.DROP_PARTICLE).random() for i in range(parameters.particles)]
    return tuple(bool(keeps_iteration and draw >= parameters.drop_particle) for draw in draws)


def _carry_over_utilities(parameters: Parameters, utilities: Utilities, to_evaluate: tuple[bool, ...]) -> Utilities:
    """Return the utilities before an evaluation: in the public code a skipped particle keeps its old one."""
    pairs = zip(utilities, to_evaluate, strict=True)
    return tuple(old if parameters.reference and not evaluates else None for old, evaluates in pairs)


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
    new_utilities = [(i, float(utility) + 0.0) for i, utility in enumerate(utilities) if utility is not None]
    best = global_best(state, new_utilities)
    counts_as_evaluated = bool(new_utilities) or parameters.reference  # the public code counts dropped iterations too
    next_state = replace(
        with_personal_bests(state, new_utilities),
        utilities=_merge_utilities(state.utilities, new_utilities),
        told=True,
        global_best=best,
        global_worst=global_worst(state, new_utilities),
        stale=0 if best is not state.global_best else state.stale + counts_as_evaluated,
    )
    if state.iteration == 0 and parameters.initial_velocity == "best" and best is not None:
        next_state = replace(
            next_state, velocities=read_only(best.coefficients - next_state.positions)
        )  # v_i = g − x_i
    return next_state


def _check_utilities(state: State, utilities: Sequence[float | None]) -> None:
    if state.told:
        raise ValueError(f"iteration {state.iteration} was told its utilities before")
    if len(utilities) != len(state.to_evaluate):
        raise ValueError(f"{len(utilities)} utilities for {len(state.to_evaluate)} particles")
    for particle, (utility, evaluates) in enumerate(zip(utilities, state.to_evaluate, strict=True)):
        if evaluates is not (utility is not None):
            problem = "is to be evaluated but has no utility" if evaluates else "is skipped but has a utility"
            raise ValueError(f"particle {particle} of iteration {state.iteration} {problem}")
        if utility is not None and not math.isfinite(utility):
            raise EvaluationError(f"particle {particle} of iteration {state.iteration} has the utility {utility}")


def _merge_utilities(old_utilities: Utilities, new_utilities: ParticleUtilities) -> Utilities:
    utilities = dict(enumerate(old_utilities)) | dict(new_utilities)
    return tuple(utilities[i] for i in range(len(old_utilities)))


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
