"""The iterations of an evolution strategies run, and the members of one, as tables."""

from collections.abc import Sequence

from cli.console import out, print_json, table
from infra.records.values import IterationRecord
from swarm.es_state import EsState


def evolution_history(iterations: Sequence[IterationRecord], one: bool, as_json: bool) -> None:
    """Print these iterations of a run, or the seeds and coefficients of the `one` that is given."""
    states = [EsState.from_json(saved.state) for saved in iterations]
    if as_json:
        print_json([state.to_json() for state in states])
    elif one:
        _print_update(states[0])
    else:
        columns = ("iteration", "least", "mean", "greatest", "held out", "best mean (iteration)", "update")
        out.print(table(columns, map(_row, states)))


def _row(state: EsState) -> tuple[object, ...]:
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


def _print_update(state: EsState) -> None:
    rewards = ", ".join(f"{reward:.4f}" for reward in state.rewards)
    out.print(f"iteration {state.iteration}, journal {state.journal[:12]}…; rewards: {rewards or 'none'}")
    if state.update is not None:
        rows = [(str(s), f"{c:+.6g}") for s, c in zip(state.update.seeds, state.update.coefficients, strict=True)]
        out.print(table(("seed", "coefficient"), rows))
