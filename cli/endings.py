"""How a command ends that raised something: with one line and an exit code, whatever it was."""

import errno
import os
import sys
import time
import traceback
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cli.runs.unfinished import RunUnfinished
from infra.downloads.download import DownloadError
from infra.settings import Settings
from swarm.errors import EvaluationError, InputError

FAILED, BAD_INPUT = 1, 2

_REMEDIES: Mapping[int, str] = {
    errno.ENOSPC: "free some space and run the command again",
    errno.EDQUOT: "free some of your quota and run the command again",
    errno.EROFS: "choose a folder that can be written (SWARM_RUNS, SWARM_CACHE)",
    errno.EACCES: "change its permissions, or choose another folder (SWARM_RUNS, SWARM_CACHE)",
    errno.EPERM: "change its permissions, or choose another folder (SWARM_RUNS, SWARM_CACHE)",
    errno.EIO: "check the device, then run the command again",
    errno.EMFILE: "allow more open files (ulimit -n) and run the command again",
    errno.ENOMEM: "free some memory and run the command again",
}
"""What to do about a fault of the machine. What a run had finished is kept in each case."""

_SECRET_WORDS = ("KEY", "SECRET", "TOKEN", "PASSWORD", "AUTH", "URL", "PROXY")
"""A variable with such a word in its name may hold a secret, which no report of a defect shows."""


@dataclass(frozen=True)
class Ending:
    """How a command ends: the one line that it says ("" for none), and its exit code."""

    line: str
    code: int


def ending_of(error: Exception) -> Ending:
    """Return how a command ends that raised `error`.

    What is nobody's fault but the program's own is a defect: its traceback is written to a file, which the line names.
    """
    match error:
        case InputError():
            return Ending(f"error: {error}", BAD_INPUT)
        case DownloadError() | EvaluationError():
            return Ending(f"failed: {error}", FAILED)
        case RunUnfinished():
            return Ending(str(error), FAILED)
        case BrokenPipeError():
            return Ending("", FAILED)  # whoever read the output has seen enough
        case OSError(errno=int(number)) if number in _REMEDIES:
            place = f"{error.filename}: " if error.filename else ""
            return Ending(f"failed: {place}{error.strerror}: {_REMEDIES[number]}", FAILED)
        case MemoryError():
            return Ending(f"failed: no memory is left: {_REMEDIES[errno.ENOMEM]}", FAILED)
        case _:
            return Ending(_defect(error), FAILED)


def _defect(error: Exception) -> str:
    summary = _without_secrets(traceback.format_exception_only(error)[-1].strip())
    try:
        where = f"the traceback is in {_write_report(error)}: please report it with that file"
    except Exception:  # no folder to write to: the disk is full, or there is no home; the line is still said
        where = "its traceback could not be written to the folder SWARM_CACHE"
    return f"failed: a defect of Model Swarms: {summary}: {where}"


def _write_report(error: Exception) -> Path:
    folder = Settings().cache / "defects"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.txt"
    report = "".join(["swarm ", " ".join(sys.argv[1:]), "\n\n", *traceback.format_exception(error)])
    path.write_text(_without_secrets(report), encoding="utf-8", errors="backslashreplace")
    return path


def _without_secrets(report: str) -> str:
    for name, value in os.environ.items():
        if len(value) >= 4 and any(word in name.upper() for word in _SECRET_WORDS):
            report = report.replace(value, f"<{name}>")
    return report


def flush() -> Ending | None:
    """Write what is left of the output; return how the command ends if that fails, else None.

    A full disk is often met only here. What can't be written is given up, or the interpreter would try again.
    """
    try:
        sys.stdout.flush()
    except OSError as error:
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ending_of(error)
    return None
