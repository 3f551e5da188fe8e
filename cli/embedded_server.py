"""The Prefect server that a run without one starts for itself: it must never outlive the run.

Prefect ends it when the interpreter exits, which a killed process doesn't do: its server would stay for ever.
"""

import os


def start_embedded_server() -> None:
    """Start a server, as Prefect's first request would, unless the user's settings name one."""
    from prefect.settings import PREFECT_API_URL, PREFECT_SERVER_EPHEMERAL_ENABLED

    if PREFECT_API_URL.value() or not PREFECT_SERVER_EPHEMERAL_ENABLED.value():
        return
    from cli.bound_server import BoundServer

    BoundServer().start()


def end_with_this_process(process: int) -> None:
    """Let `process` be ended when this process is gone, however it went: SIGKILL too."""
    waiting, _open_until_we_are_gone = os.pipe()
    command = ["sh", "-c", f"read -r _; kill {process} 2>/dev/null"]
    # In a process group of its own, or Ctrl-C would end it too.
    os.posix_spawn("/bin/sh", command, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, waiting, 0)], setpgroup=0)
    os.close(waiting)
