"""Progress of long operations on stderr: a bar on a terminal, now and then a line elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from cli.terminal.console import err, visible

Report = Callable[[int, int, str], None]
"""Called with (done, in all, a note such as the loss)."""

_LINES = 10
"""Where there is no terminal, so many lines are written in all."""


@contextmanager
def progress(title: str) -> Iterator[Report]:
    """Give what reports the progress of one operation while the block lasts."""
    if not err.is_terminal:
        yield _ProgressLines(title)
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}", markup=False),
    )
    with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=err, transient=True) as bar:
        task = bar.add_task(visible(title), total=None, note="")
        yield lambda done, total, note: bar.update(task, completed=done, total=total, note=visible(note))


class _ProgressLines:
    def __init__(self, title: str) -> None:
        self._title = title
        self._lines = 0

    def __call__(self, done: int, total: int, note: str) -> None:
        tenth = _LINES * done // max(1, total)
        if tenth > self._lines:
            self._lines = tenth
            err.print(f"{self._title}: {done}/{total} {note}".rstrip(), soft_wrap=True, markup=False)
