"""Measuring in a process of its own, in processor time, on one thread."""

import ctypes
import signal
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import ParamSpec, TypeVar

import torch
from transformers.utils.logging import disable_progress_bar, set_verbosity_error

from bench.machine import gemm, packed_gemm

_DIE_WITH_PARENT = 1
"""PR_SET_PDEATHSIG of Linux's prctl."""

P = ParamSpec("P")
T = TypeVar("T")


def in_child(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Return what `function`, of a module, returns in a new process of one thread.

    It is forked from a server that has imported the libraries and done nothing else.
    """
    context = get_context("forkserver")
    context.set_forkserver_preload(["peft", "transformers.models.llama.modeling_llama"])
    with ProcessPoolExecutor(1, mp_context=context, initializer=quiet_and_single) as pool:
        return pool.submit(function, *args, **kwargs).result()


def quiet_and_single() -> None:
    """Compute on one thread; transformers keeps its warnings (the public way earns some) to itself.

    The process ends when the benchmark is killed: what nobody waits for would disturb the next measurement.
    """
    ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    torch.set_num_threads(1)
    disable_progress_bar()
    set_verbosity_error()
    warnings.filterwarnings("ignore", "`is_gradient_checkpointing` is deprecated", FutureWarning)  # between peft and it


def processor_seconds(action: Callable[[], T]) -> tuple[T, float]:
    """Return what `action` returns and the processor time of this whole process meanwhile."""
    start = time.process_time()
    result = action()
    return result, time.process_time() - start


def gemm_seconds(size: int, count: int) -> list[float]:
    """Return the processor seconds of `count` square float32 matrix products of the faster of two kernels."""
    return min((_seconds(product, count) for product, _ in (gemm(size), packed_gemm(size))), key=median)


def _seconds(action: Callable[[], object], count: int) -> list[float]:
    action()
    return [processor_seconds(action)[1] for _ in range(count)]


def peak_since_now() -> Callable[[], int]:
    """Return a function that says how many bytes resident memory has risen, at its highest, above what it is now."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the high water mark falls to what is resident now
    before = _kilobytes("VmRSS")
    return lambda: (_kilobytes("VmHWM") - before) * 1024


def _kilobytes(field: str) -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))
