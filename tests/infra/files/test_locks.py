"""The run lock, within a process and across processes."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from infra.files.locks import run_lock
from swarm.errors import InputError

HOLDER = """
import signal, sys
from pathlib import Path
from infra.files.locks import run_lock
with run_lock(Path(sys.argv[1])):
    sys.stdout.write("held\\n"); sys.stdout.flush()
    signal.pause()
"""


def refusal(folder: Path) -> str:
    with pytest.raises(InputError) as caught, run_lock(folder):
        pass
    return str(caught.value)


def message(pid: int) -> str:
    holder = f"process {pid} on {socket.gethostname()}"
    return f"run 'first' is driven by {holder}: wait for it, or end it with 'swarm stop first'"


def test_another_process_holds_it_until_it_is_killed(tmp_path: Path) -> None:
    folder = tmp_path / "first"
    command = [sys.executable, "-c", HOLDER, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert refusal(folder) == message(holder.pid)
        holder.kill()
        assert holder.wait() == -9
    with run_lock(folder):
        assert refusal(folder) == message(os.getpid())


def test_it_is_free_after_the_block_however_that_ends(tmp_path: Path) -> None:
    with pytest.raises(KeyError), run_lock(tmp_path / "first"):
        raise KeyError
    with run_lock(tmp_path / "first"), run_lock(tmp_path / "second"):
        pass


def test_a_refused_attempt_leaves_the_holder_named(tmp_path: Path) -> None:
    folder = tmp_path / "first"
    with run_lock(folder):
        assert [refusal(folder), refusal(folder)] == [message(os.getpid())] * 2


def test_a_holder_that_has_not_yet_written_its_name_is_another_process(tmp_path: Path) -> None:
    folder = tmp_path / "first"
    with run_lock(folder):
        (folder / ".lock").write_text("")
        assert refusal(folder).startswith("run 'first' is driven by another process: ")


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert refusal(tmp_path / "file" / "first").startswith(f"cannot write {tmp_path}/file/first/.lock: ")
