"""The `swarm` command in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def swarm(arguments: Sequence[str], environment: Mapping[str, str]) -> str:
    """Run `swarm ARGUMENTS`; return what it prints."""
    command = [sys.executable, "-m", "cli", *arguments]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"swarm {arguments[0]} ended with {done.returncode}:\n{done.stderr[-3000:]}")
    return done.stdout
