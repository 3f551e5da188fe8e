"""The process of the `swarm` command: the entry point of the script, and an end that never waits for ever.

At its exit Prefect waits, without a limit, until its events and logs are sent. An interrupt that hits Prefect's own
code can leave that wait without an end: the command has said how it ended, all it made is on disk, and yet it stays.
"""

import os
import sys
import threading
import time
from io import TextIOWrapper
from pathlib import Path

SECONDS_TO_END = 30.0
"""What is still unsent after this long is given up: Prefect's events and logs, and nothing of a run."""

INTERRUPTED = 130
"""The exit code of a process that Ctrl-C ended, as shells give it."""


def swarm() -> None:
    """Run the command line and end this process within `SECONDS_TO_END`, whatever its libraries wait for.

    Only for a process that is there for the command alone: it is ended on the spot then.
    """
    code = 1
    try:
        _open_streams()
        from cli.main import main  # its imports look at the streams

        main()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        raise
    except KeyboardInterrupt:
        code = INTERRUPTED
        raise
    finally:
        threading.Thread(target=_end_later, args=(code,), name="end of the process", daemon=True).start()


def _open_streams() -> None:
    """Give the process the three streams that every program expects, also where the caller closed one.

    Else the next file that is opened, the records' perhaps, would take the closed one's number, and be printed to.
    """
    while (number := os.open(os.devnull, os.O_RDWR)) < 3:
        pass
    os.close(number)
    for stream, name in ((sys.stdout, "stdout"), (sys.stderr, "stderr")):
        if stream is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115  open as long as the process
        elif isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # text that the terminal's encoding lacks


def _end_later(code: int) -> None:
    time.sleep(SECONDS_TO_END)
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    finally:
        os._exit(code)
