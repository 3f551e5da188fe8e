"""Opens vLLM without its marks on this process: settings by environment variables, and what it changes put back."""

import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

logger = logging.getLogger(__name__)

_SETTINGS = {
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",  # the engine lives and dies with this process
    "VLLM_CONFIGURE_LOGGING": "0",
    "VLLM_NO_USAGE_STATS": "1",
}

_LONGEST_LINE = 500
"""Where a log line is cut: after an error vLLM writes out all that it was given."""


@contextmanager
def quiet_process(batch_invariant: bool) -> Iterator[None]:
    """Let vLLM be imported and opened inside the block; put back afterwards what it changes in the process.

    It prefixes tracebacks with a rank; on a CPU it also replaces `torch.set_num_threads`, binds the process's memory to
    a NUMA node and names libraries that every child process would have to load.
    """
    set_num_threads, excepthook, preload = torch.set_num_threads, sys.excepthook, os.environ.get("LD_PRELOAD")
    os.environ.update(_SETTINGS, VLLM_BATCH_INVARIANT=str(int(batch_invariant)))
    _forward_logs()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _leave_memory_unbound()
            yield
    finally:
        torch.set_num_threads, sys.excepthook = set_num_threads, excepthook
        if preload is None:
            os.environ.pop("LD_PRELOAD", None)
        else:
            os.environ["LD_PRELOAD"] = preload


@contextmanager
def plain_weights(enabled: bool) -> Iterator[None]:
    """If `enabled`, let models that are loaded inside the block keep weights that can be overwritten.

    On a CPU vLLM packs each weight for its kernels once and drops it.
    """
    from vllm.model_executor.layers import utils

    packing = utils.dispatch_cpu_unquantized_gemm
    if enabled:
        utils.dispatch_cpu_unquantized_gemm = _keep_weight
    try:
        yield
    finally:
        utils.dispatch_cpu_unquantized_gemm = packing


@contextmanager
def intra_op_threads(count: int | None) -> Iterator[None]:
    """Compute with `count` PyTorch threads inside the block (None: as many as before)."""
    before = torch.get_num_threads()
    if count is not None and count != before:
        torch.set_num_threads(count)
    try:
        yield
    finally:
        if torch.get_num_threads() != before:
            torch.set_num_threads(before)


def _keep_weight(layer: Any, remove_weight: bool) -> None:
    layer.cpu_linear = torch.nn.functional.linear


def _leave_memory_unbound() -> None:
    import vllm.platforms

    if vllm.platforms.current_platform.is_cpu():
        vllm.platforms.current_platform.import_kernels()
        vars(torch.ops._C)["init_cpu_memory_env"] = lambda nodes: None


class _Forward(logging.Handler):
    """Logs vLLM's records as this module's own: its advice to the operators of servers is no warning here."""

    def emit(self, record: logging.LogRecord) -> None:
        level = logging.ERROR if record.levelno >= logging.ERROR else logging.INFO
        logger.log(level, "%s: %s", record.name, record.getMessage()[:_LONGEST_LINE])


def _forward_logs() -> None:
    theirs = logging.getLogger("vllm")
    if not any(isinstance(handler, _Forward) for handler in theirs.handlers):
        theirs.addHandler(_Forward())
    theirs.setLevel(logging.WARNING)
    theirs.propagate = False
