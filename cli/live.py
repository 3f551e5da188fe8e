"""What a person sees while a search runs: bars and the particles' table; plain lines without a terminal."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from cli.console import err, table
from infra.config import RunConfig
from infra.observer import Observer
from swarm.state import State


@contextmanager
def live_display(config: RunConfig) -> Iterator[Observer]:
    """Show the run while the block lasts, on stderr."""
    if not err.is_terminal:
        yield _Lines(config)
        return
    display = _Display(config)
    with Live(display, console=err, refresh_per_second=4, transient=True):
        yield display


class _Lines:
    """One line a phase and an iteration: for logs and pipes."""

    def __init__(self, config: RunConfig) -> None:
        self._config = config

    def phase(self, text: str) -> None:
        err.print(f"{self._config.name}: {text}")

    def rows(self, done: int, total: int) -> None:
        """Say nothing: a log needs no bar."""

    def iteration(self, state: State, experts: tuple[str, ...]) -> None:
        err.print(f"{self._config.name}: {_headline(state, self._config)}", soft_wrap=True)


class _Display:
    """The live table of a terminal."""

    def __init__(self, config: RunConfig) -> None:
        self._config = config
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=err,
        )
        self._iterations = self._progress.add_task("iterations", total=config.search.max_iterations)
        self._rows = self._progress.add_task("rows of the group", total=None)
        self._phase = ""
        self._headline = ""
        self._table: Table | None = None

    def phase(self, text: str) -> None:
        self._phase = text

    def rows(self, done: int, total: int) -> None:
        self._progress.update(self._rows, completed=done, total=total)

    def iteration(self, state: State, experts: tuple[str, ...]) -> None:
        self._progress.update(self._iterations, completed=state.iteration)
        self._headline = _headline(state, self._config)
        self._table = _particles(state, experts)

    def __rich__(self) -> Group:
        head = f"[bold]{self._config.name}[/bold] · {self._phase}"
        if self._table is None:
            return Group(head, self._progress)
        return Group(head, self._progress, self._headline, self._table)


def _headline(state: State, config: RunConfig) -> str:
    best = state.global_best
    found = f"{best.utility:.4f} (particle {best.particle}, iteration {best.iteration})" if best else "–"
    utilities = [utility for utility in state.utilities if utility is not None]
    mean = f", mean {sum(utilities) / len(utilities):.4f}" if utilities else ""
    return (
        f"iteration {state.iteration}/{config.search.max_iterations}: global best {found}{mean}, "
        f"{state.stale}/{config.search.patience} without improvement"
    )


def _particles(state: State, experts: tuple[str, ...]) -> Table:
    rows = (
        (
            f"{i}{' ★' if state.global_best is not None and state.global_best.particle == i else ''}",
            state.utilities[i],
            state.personal_best_utilities[i],
            *(f"{coefficient:+.2f}" for coefficient in state.positions[i]),
        )
        for i in range(len(state.positions))
    )
    return table(("particle", "utility", "its best", *experts), rows)
