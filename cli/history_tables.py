"""The iterations of a Model Swarms run, and the particles of one, as tables."""

from collections.abc import Sequence
from typing import Any

from rich.table import Table

from cli.console import out, print_json, table
from infra.records.values import IterationRecord
from swarm.history import history
from swarm.state import Extreme, State


def swarm_history(iterations: Sequence[IterationRecord], one: bool, names: Sequence[str], as_json: bool) -> None:
    """Print these iterations of a run over the bases `names`, or the particles of the `one` that is given."""
    states = [State.from_json(saved.state) for saved in iterations]
    if as_json:
        print_json([history(state) for state in states])
    elif one:
        out.print(f"iteration {states[0].iteration}, λ = {states[0].step_length:.4f}: coefficients of the positions")
        out.print(particles_table(states[0], names))
    else:
        out.print(iterations_table(states))


def iterations_table(states: Sequence[State]) -> Table:
    """Return one row an iteration: λ, utilities, global best and worst, restarts."""
    columns = ("iteration", "λ", "evaluated", "mean", "best", "g (found by, in)", "w", "restarted", "stale")
    return table(columns, map(_iteration, states))


def _iteration(state: State) -> tuple[Any, ...]:
    utilities = [utility for utility in state.utilities if utility is not None]
    return (
        state.iteration,
        state.step_length,
        f"{sum(state.to_evaluate)}/{len(state.to_evaluate)}",
        sum(utilities) / len(utilities) if utilities else None,
        max(utilities, default=None),
        _found(state.global_best),
        state.global_worst.utility if state.global_worst is not None else None,
        " ".join(str(i) for i, restarted in enumerate(state.restarted) if restarted) or None,
        state.stale,
    )


def _found(extreme: Extreme | None) -> str | None:
    return None if extreme is None else f"{extreme.utility:.4f} ({extreme.particle}, {extreme.iteration})"


def particles_table(state: State, names: Sequence[str]) -> Table:
    """Return one row a particle: its utilities and its position's coefficients over the bases `names`; then g and w."""
    rows: list[tuple[Any, ...]] = [
        (i, state.utilities[i], state.personal_best_utilities[i], *_coefficients(state.positions[i].tolist()))
        for i in range(len(state.positions))
    ]
    for name, extreme in (("g", state.global_best), ("w", state.global_worst)):
        if extreme is not None:
            rows.append((name, extreme.utility, None, *_coefficients(extreme.coefficients.tolist())))
    return table(("particle", "utility", "its best", *names), rows)


def _coefficients(values: list[float]) -> list[str]:
    return [f"{value:+.3f}" for value in values]
