"""Processes that end with this one, however it ends."""

import os


def end_with_this_process(process: int) -> None:
    """Let `process` be ended when this process is gone, however it went: SIGKILL too."""
    read_end, _write_end = os.pipe()  # the write end stays open until this process is gone
    command = ["sh", "-c", f"read -r _; kill {process} 2>/dev/null"]
    # In a process group of its own, or Ctrl-C would end it too.
    os.posix_spawn("/bin/sh", command, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, read_end, 0)], setpgroup=0)
    os.close(read_end)
