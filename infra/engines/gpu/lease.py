"""GPU leases: engines of several runs on one machine that share a GPU compute on it in turns, a group at a time.

Every lock is a `flock`: the kernel frees it the moment its holder ends, however that happens. The files carry the GPU's
UUID, since CUDA_VISIBLE_DEVICES changes its number from process to process, and they stay (removing one would let two
processes lock two files of one name):

    UUID.lease       locked by the engine that computes; its text names the process
    UUID.next        locked by the one engine that is next: an engine that just had the lease queues behind it
    UUID.engine-N    place N on the GPU: locked by the engine that lives there, until it is closed

Only engines that use the same folder see each other.
"""

import fcntl
import logging
import os
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TextIO

from experts.files import cannot_write

_PAUSE = 0.02
"""Seconds between two tries to lock: a wait that blocked in the kernel could not be interrupted from here."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Gpu:
    """A GPU that this process sees.

    Attributes:
        index: its number in this process.
        uuid: its name on any machine and in any process.

    """

    index: int
    uuid: str


class GpuLease:
    """An engine's place on one GPU, and its right to compute there in turns with the engines that share it."""

    def __init__(self, folder: Path, gpu: Gpu, place: TextIO) -> None:
        """`bind` makes leases: `place` is the file that it locked for the place on the GPU."""
        self.gpu = gpu
        self._folder = folder
        self._place = place
        self._sharing_is_logged = False

    @contextmanager
    def hold(self, check: Callable[[], None]) -> Iterator[None]:
        """Wait for the GPU, and hold it for the length of the block; while waiting, call `check` again and again.

        An exception from `check` ends the wait. An engine that just had the lease queues behind those that wait: none
        starves.

        Raises:
            InputError: the folder can't be written.

        """
        with ExitStack() as stack:
            turn = stack.enter_context(_open(self._path("next")))
            lease = stack.enter_context(_open(self._path("lease")))
            self._wait(turn, lease, check)
            self._wait(lease, lease, check)
            fcntl.flock(turn, fcntl.LOCK_UN)
            stack.callback(lease.truncate, 0)
            _write(lease, f"process {os.getpid()} on {socket.gethostname()}")
            yield

    def close(self) -> None:
        """Leave the GPU to others."""
        self._place.close()

    def _wait(self, lock: TextIO, lease: TextIO, check: Callable[[], None]) -> None:
        while not _try_lock(lock):
            self._log_sharing(lease)
            check()
            time.sleep(_PAUSE)

    def _log_sharing(self, lease: TextIO) -> None:
        if self._sharing_is_logged:
            return
        self._sharing_is_logged = True
        lease.seek(0)
        holder = lease.readline().strip() or "another process"
        logger.info("GPU %d (%s) is held by %s: taking turns with it", self.gpu.index, self.gpu.uuid, holder)

    def _path(self, kind: str) -> Path:
        return self._folder / f"{self.gpu.uuid}.{kind}"


def bind(folder: Path, gpus: Sequence[Gpu]) -> GpuLease:
    """Take the first free place on one of `gpus` (at least one): place 0 of each in turn, then place 1 of each, ….

    So engines spread over the GPUs. This never waits: an engine keeps its GPU for life, and which of them computes at
    this moment says little about later.

    Raises:
        InputError: the folder can't be made or written.

    """
    places = (_take_place(folder, gpu, number) for number in count() for gpu in gpus)
    return next(lease for lease in places if lease is not None)


def _take_place(folder: Path, gpu: Gpu, number: int) -> GpuLease | None:
    place = _open(folder / f"{gpu.uuid}.engine-{number}")
    if _try_lock(place):
        return GpuLease(folder, gpu, place)
    place.close()
    return None


def _open(path: Path) -> TextIO:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("a+", encoding="utf-8")
    except OSError as error:
        raise cannot_write(path, error) from error


def _try_lock(file: TextIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:  # a file system without locks
        raise cannot_write(Path(file.name), error) from error
    return True


def _write(file: TextIO, text: str) -> None:
    try:
        file.truncate(0)
        os.write(file.fileno(), text.encode())  # unbuffered: a full disk is met here and not at closing
    except OSError as error:
        raise cannot_write(Path(file.name), error) from error
