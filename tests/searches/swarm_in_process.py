"""The `swarm` command in this process, on a runs folder of its own."""

import io
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from cli.main import main
from cli.terminal import console
from tests.cli.command_line import CommandOutcome


class Swarm:
    """Runs `swarm ARGUMENTS`; its environment lasts as long as `patch`."""

    def __init__(self, runs: Path, patch: pytest.MonkeyPatch) -> None:
        self._runs, self._patch = runs, patch

    def __call__(self, *arguments: object, code: int | None = 0) -> CommandOutcome:
        """Return how the command ended; fail unless it ended with `code`, if one is given."""
        out, err = io.StringIO(), io.StringIO()
        with self._patch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            patch.setenv("SWARM_RUNS", str(self._runs))
            patch.setenv("SWARM_CACHE", str(self._runs.parent / "cache"))
            patch.delenv("SWARM_DATABASE_URL", raising=False)
            patch.setattr(sys, "argv", ["swarm", *map(str, arguments)])
            patch.setattr(console.out, "_width", 240)
            with pytest.raises(SystemExit) as ended:
                main()
        found = int(ended.value.code or 0)
        assert code is None or found == code, f"swarm {arguments[0]} ended with {found}:\n{err.getvalue()}"
        return CommandOutcome(found, out.getvalue(), err.getvalue())
