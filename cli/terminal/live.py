"""Show a search while it runs: bars and the particles' table; plain lines without a terminal."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from cli.terminal.console import err, table, visible
from infra.configs.common import RunConfig
from infra.observing.observer import NullObserver, Observer
from infra.observing.views import IterationView


@contextmanager
def live_display(config: RunConfig) -> Iterator[Observer]:
    """Show the run while the block lasts, on stderr."""
    if not err.is_terminal:
        yield _Lines(config)
        return
    display = _Display(config)
    with Live(display, console=err, refresh_per_second=4, transient=True):
        yield display


class _Lines(NullObserver):
    """One line a phase and an iteration: for logs and pipes."""

    def __init__(self, config: RunConfig) -> None:
        self._config = config

    def phase(self, text: str) -> None:
        err.print(f"{self._config.name}: {text}")

    def rows(self, done: int, total: int) -> None:
        """Say nothing: a log needs no bar."""

    def iteration(self, view: IterationView) -> None:
        err.print(f"{self._config.name}: {view.headline}", soft_wrap=True)


class _Display(NullObserver):
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
        self._iterations = self._progress.add_task("iterations", total=config.iterations)
        self._rows = self._progress.add_task("rows of the group", total=None)
        self._phase = ""
        self._headline = ""
        self._table: Table | None = None

    def phase(self, text: str) -> None:
        self._phase = text

    def rows(self, done: int, total: int) -> None:
        self._progress.update(self._rows, completed=done, total=total)

    def iteration(self, view: IterationView) -> None:
        self._progress.update(self._iterations, completed=view.iteration)
        self._headline = visible(view.headline)
        self._table = table(view.columns, view.rows)

    def __rich__(self) -> Group:
        head = Text.assemble((visible(self._config.name), "bold"), f" · {visible(self._phase)}")
        if self._table is None:
            return Group(head, self._progress)
        return Group(head, self._progress, self._headline, self._table)
