"""Locks, within a process and across processes."""

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from infra.files.locks import (
    exclusive_lock,
    is_abandoned,
    lock_or_refuse,
    open_lock_file,
    read_holder,
    require_free,
    run_lock,
    try_lock,
    unlock,
    write_holder,
)
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


def test_looking_whether_a_run_is_free_makes_nothing_and_is_not_seen(tmp_path: Path) -> None:
    folder = tmp_path / "first"
    require_free(folder)
    assert not is_abandoned(folder)
    assert not folder.exists()
    with run_lock(folder):
        assert not is_abandoned(folder)
        with pytest.raises(InputError) as caught:
            require_free(folder)
        assert str(caught.value) == message(os.getpid())
    assert [is_abandoned(folder), is_abandoned(folder)] == [True, True]
    require_free(folder)


def test_an_exclusive_lock_waits_for_its_turn(tmp_path: Path) -> None:
    order, begun = [], threading.Event()

    def second() -> None:
        begun.set()
        with exclusive_lock(tmp_path / "lock"):
            order.append("second")

    thread = threading.Thread(target=second)
    with exclusive_lock(tmp_path / "lock"):
        thread.start()
        begun.wait()
        thread.join(0.1)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_an_exclusive_lock_where_nothing_can_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^cannot write "), exclusive_lock(tmp_path / "nowhere" / "lock"):
        pass


@pytest.mark.parametrize("gone", ["locked", "removed", "replaced"])
def test_a_file_that_another_process_has_or_had_is_refused(tmp_path: Path, gone: str) -> None:
    path, refusal = tmp_path / "part", InputError("busy")
    with path.open("ab") as file, path.open("ab") as other:
        lock_or_refuse(other, refusal)
        if gone != "locked":
            path.rename(tmp_path / "whole")
            other.close()
        if gone == "replaced":
            path.write_bytes(b"")
        with pytest.raises(InputError, match="busy"):
            lock_or_refuse(file, refusal)


def test_a_lock_that_is_tried_is_free_or_not_and_can_be_given_back(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "lock"
    with open_lock_file(path) as file, open_lock_file(path) as other:
        assert try_lock(file)
        write_holder(file)
        assert not try_lock(other)
        assert read_holder(other) == f"process {os.getpid()} on {socket.gethostname()}"
        unlock(file)
        assert try_lock(other)
