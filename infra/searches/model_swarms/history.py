"""The iterations of a Model Swarms run, and the particles of one, as tables."""

from collections.abc import Sequence

from infra.observing.views import Cell, Table
from swarm.state import Extreme, State


def iterations_table(states: Sequence[State]) -> Table:
    """Return one row an iteration: λ, utilities, global best and worst, restarts."""
    columns = ("iteration", "λ", "evaluated", "mean", "best", "g (found by, in)", "w", "restarted", "stale")
    return Table("", columns, tuple(map(_iteration, states)))


def _iteration(state: State) -> tuple[Cell, ...]:
    utilities = [utility for utility in state.utilities if utility is not None]
    return (
        state.iteration,
        state.step_length,
        f"{sum(state.to_evaluate)}/{len(state.to_evaluate)}",
        sum(utilities) / len(utilities) if utilities else None,
        max(utilities, default=None),
        _extreme(state.global_best),
        state.global_worst.utility if state.global_worst is not None else None,
        " ".join(str(i) for i, is_restarted in enumerate(state.restarted) if is_restarted) or None,
        state.stale,
    )


def _extreme(extreme: Extreme | None) -> str | None:
    return None if extreme is None else f"{extreme.utility:.4f} ({extreme.particle}, {extreme.iteration})"


def particles_table(state: State, names: Sequence[str]) -> Table:
    """Return one row a particle: its utilities and its position's coefficients over the bases `names`; then g and w."""
    rows: list[tuple[Cell, ...]] = [
        (i, state.utilities[i], state.personal_best_utilities[i], *_coefficients(state.positions[i].tolist()))
        for i in range(len(state.positions))
    ]
    for name, extreme in (("g", state.global_best), ("w", state.global_worst)):
        if extreme is not None:
            rows.append((name, extreme.utility, None, *_coefficients(extreme.coefficients.tolist())))
    heading = f"iteration {state.iteration}, λ = {state.step_length:.4f}: coefficients of the positions"
    return Table(heading, ("particle", "utility", "its best", *names), tuple(rows))


def _coefficients(values: list[float]) -> list[str]:
    return [f"{value:+.3f}" for value in values]
