"""Turns on a GPU, with lock files and processes as they are; no GPU is needed."""

import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from infra.engines.gpu.lease import Gpu, GpuLease, bind
from swarm.errors import InputError

ONE, TWO = Gpu(0, "uuid-one"), Gpu(1, "uuid-two")

CHILD = """
import signal, sys
from pathlib import Path
from infra.engines.gpu.lease import Gpu, bind
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs are started deaf to it
lease = bind(Path(sys.argv[1]), [Gpu(0, "uuid-one")])
def say(word):
    sys.stdout.write(word + "\\n"); sys.stdout.flush()
said = []
def waiting():
    if not said:
        said.append(say("waiting"))
try:
    with lease.hold(waiting):
        say("held")
        if sys.argv[2] == "stay":
            signal.pause()
except KeyboardInterrupt:
    say("interrupted")
"""


Place = Callable[..., GpuLease]


class Refused(Exception):
    pass


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Take a place on one of the given GPUs; all are left at the end."""
    with ExitStack() as stack:

        def take(*gpus: Gpu) -> GpuLease:
            lease = bind(tmp_path, gpus)
            stack.callback(lease.close)
            return lease

        yield take


def refuse() -> None:
    raise Refused


def is_free(lease: GpuLease) -> bool:
    try:
        with lease.hold(refuse):
            return True
    except Refused:
        return False


@contextmanager
def child(folder: Path, what: str) -> Iterator[subprocess.Popen[str]]:
    """A process that holds, or waits for, the lease of the first GPU."""
    command = [sys.executable, "-c", CHILD, str(folder), what]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_a_gpu_is_held_by_one_engine_at_a_time(place: Place) -> None:
    first, second = place(ONE), place(ONE)
    with first.hold(refuse):
        assert not is_free(second)
    assert is_free(second)
    with pytest.raises(KeyError), second.hold(refuse):
        raise KeyError
    assert is_free(first)


def test_two_gpus_do_not_wait_for_each_other(place: Place) -> None:
    with place(ONE).hold(refuse), place(TWO).hold(refuse):
        pass


def test_a_killed_holder_and_a_killed_waiter_leave_the_gpu_free(tmp_path: Path, place: Place) -> None:
    lease = place(ONE)
    with child(tmp_path, "stay") as holder:
        assert said(holder) == "held"
        with child(tmp_path, "stay") as waiter:
            assert said(waiter) == "waiting"
            assert not is_free(lease)
            waiter.send_signal(signal.SIGKILL)
            assert waiter.wait() == -signal.SIGKILL
        holder.send_signal(signal.SIGKILL)
        assert holder.wait() == -signal.SIGKILL
    assert is_free(lease)


def test_an_interrupt_ends_the_wait_of_a_process(tmp_path: Path, place: Place) -> None:
    lease = place(ONE)
    with lease.hold(refuse), child(tmp_path, "stay") as waiter:
        assert said(waiter) == "waiting"
        waiter.send_signal(signal.SIGINT)
        assert said(waiter) == "interrupted"
        assert waiter.wait() == 0
    assert is_free(lease)


@pytest.mark.timeout(60)  # unfair, it would wait for ever
def test_who_waits_comes_before_who_just_had_it(tmp_path: Path, place: Place) -> None:
    lease = place(ONE)
    with child(tmp_path, "go") as waiter:
        with lease.hold(refuse):
            assert said(waiter) == "waiting"
        with lease.hold(lambda: None):
            assert said(waiter) == "held"
            assert waiter.wait() == 0


def test_the_first_wait_is_logged_with_the_holder_and_later_ones_are_not(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "infra.engines.gpu.lease")
    first, second = place(ONE), place(ONE)
    with first.hold(refuse):
        assert not is_free(second)
        assert not is_free(second)
    holder = f"process {os.getpid()} on {socket.gethostname()}"
    assert caplog.messages == [f"GPU 0 (uuid-one) is held by {holder}: taking turns with it"]


def test_a_gpu_is_one_whatever_its_number_in_a_process(place: Place) -> None:
    with place(ONE).hold(refuse):
        assert not is_free(place(Gpu(7, ONE.uuid)))


def test_engines_spread_over_the_gpus(place: Place) -> None:
    leases = [place(ONE, TWO) for _ in range(5)]
    assert [lease.gpu for lease in leases] == [ONE, TWO, ONE, TWO, ONE]
    leases[1].close()
    assert place(ONE, TWO).gpu == TWO


def test_a_killed_engine_leaves_its_place(tmp_path: Path, place: Place) -> None:
    with child(tmp_path, "stay") as engine:
        assert said(engine) == "held"
        assert place(ONE, TWO).gpu == TWO
    assert place(ONE, TWO).gpu == ONE


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"^cannot write .*/file/gpus/uuid-one\.engine-0: "):
        bind(tmp_path / "file" / "gpus", [ONE])
