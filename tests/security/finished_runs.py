"""A tiny finished run of each line of the table, and copies of it that are to be resumed from their beginning."""

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command_line import CommandOutcome
from tests.searches.swarm_in_process import Swarm
from tests.tiny_search import RUN


@dataclass(frozen=True)
class TinyRun:
    """A runs folder with one run, and the summary that the run ended with when nothing was wrong with it."""

    runs: Path
    summary: dict[str, Any]

    @property
    def results(self) -> list[Path]:
        """The files of its tasks' results."""
        return sorted(path for path in (self.runs / ".swarm" / "results").rglob("*") if path.is_file())

    @property
    def log(self) -> list[str]:
        """The lines of its log."""
        return (self.runs / RUN / "run.log").read_text().splitlines()

    def copied(self, folder: Path) -> "TinyRun":
        """Copy it to `folder`, as if it had been stopped just before its end."""
        shutil.copytree(self.runs, folder)
        (folder / RUN / "run.log").unlink()
        (folder / RUN / "summary.json").unlink()
        copy = TinyRun(folder, self.summary)
        with copy.database() as database:
            database.execute("UPDATE runs SET status = 'stopped', summary = NULL")
        return copy

    @contextmanager
    def database(self) -> Iterator[sqlite3.Connection]:
        """Its database, for changes that no command would make."""
        connection = sqlite3.connect(self.runs / ".swarm" / "records.db")
        try:
            with connection:
                yield connection
        finally:
            connection.close()

    def swarm(self, patch: pytest.MonkeyPatch, *arguments: object, code: int | None = 0) -> CommandOutcome:
        """Run `swarm ARGUMENTS` on its folder."""
        return Swarm(self.runs, patch)(*arguments, code=code)

    def assert_ends_the_same(self, patch: pytest.MonkeyPatch) -> None:
        """Resume it; fail unless it ends with the hashes that it ended with before, and evaluates nothing again."""
        self.swarm(patch, "resume", RUN)
        summary = json.loads((self.runs / RUN / "summary.json").read_text())
        assert without_time(summary) == without_time(self.summary)
        with self.database() as database:
            assert database.execute("SELECT DISTINCT finished FROM evaluation_groups").fetchall() == [(1,)]


def without_time(summary: dict[str, Any]) -> dict[str, Any]:
    """Return a summary without what differs whenever a run goes on: its seconds."""
    return {name: value for name, value in summary.items() if name != "wall_seconds"}
