"""The iterations of an evolution strategies run, and the members of one, as tables."""

from collections.abc import Sequence

from infra.observing.views import Cell, Table
from swarm.es_state import EsState


def iterations_table(states: Sequence[EsState]) -> Table:
    """Return one row an iteration: its rewards, the mean's, the best mean so far, and whether there was an update."""
    columns = ("iteration", "least", "mean", "greatest", "held out", "best mean (iteration)", "update")
    return Table("", columns, tuple(map(_row, states)))


def update_table(state: EsState) -> Table:
    """Return the seeds of an iteration's update and their coefficients; without rows where there was none."""
    rewards = ", ".join(f"{reward:.4f}" for reward in state.rewards)
    update = state.update
    rows = (
        ()
        if update is None
        else tuple((str(seed), f"{value:+.6g}") for seed, value in zip(update.seeds, update.coefficients, strict=True))
    )
    heading = f"iteration {state.iteration}, journal {state.journal[:12]}…; rewards: {rewards or 'none'}"
    return Table(heading, ("seed", "coefficient"), rows)


def _row(state: EsState) -> tuple[Cell, ...]:
    rewards = state.rewards
    return (
        state.iteration,
        min(rewards, default=None),
        sum(rewards) / len(rewards) if rewards else None,
        max(rewards, default=None),
        state.held_out,
        None if state.best is None else f"{state.best.reward:.4f} ({state.best.iteration})",
        None if not rewards else "skipped: all rewards are equal" if state.update is None else "made",
    )
