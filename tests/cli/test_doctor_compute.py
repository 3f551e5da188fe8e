"""What `swarm doctor` says of processors, GPUs and engines; what GPUs there are is given, so none is needed."""

from pathlib import Path

import torch

from cli.machine.check import GIB, Check
from cli.machine.compute import FoundGpu, automatic_engine, driver_version, found_gpus, gpu_checks, processor
from infra.engines.config import EngineConfig
from infra.engines.resolved import resolve

H100 = FoundGpu(0, "NVIDIA H100", 80 * GIB, 79 * GIB, (9, 0))
T4 = FoundGpu(1, "Tesla T4", 16 * GIB, 8 * GIB, (7, 5))
NONE = "none: engines run on the processor"


def test_each_gpu_has_a_line_and_the_driver_another() -> None:
    driver, first, second = gpu_checks([H100, T4], "550.54.15", built_for_cuda=True)
    assert driver == Check("GPU driver", "ok", "NVIDIA 550.54.15")
    result = "NVIDIA H100, 80.0 GiB, 79.0 GiB free, compute capability 9.0, bfloat16"
    assert first == Check("GPU 0", "ok", result)
    assert (second.name, second.status, second.remedy) == ("GPU 1", "optional", "set engine.dtype to float16")
    assert second.found == "Tesla T4, 16.0 GiB, 8.0 GiB free, compute capability 7.5, no bfloat16 of its own"


def test_a_machine_without_gpus_misses_nothing() -> None:
    for built_for_cuda in (True, False):
        assert list(gpu_checks([], None, built_for_cuda)) == [Check("GPUs", "optional", NONE)]


def test_a_gpu_that_pytorch_cannot_use_comes_with_what_to_do() -> None:
    [hidden] = gpu_checks([], "550.54.15", built_for_cuda=True)
    [unusable] = gpu_checks([], "550.54.15", built_for_cuda=False)
    assert hidden.found == "NVIDIA's driver 550.54.15 is loaded, but PyTorch sees no GPU"
    assert hidden.remedy == "check that nvidia-smi works here and that CUDA_VISIBLE_DEVICES hides nothing"
    assert unusable.found == "NVIDIA's driver 550.54.15 is loaded, but PyTorch is built for CPUs"
    assert unusable.remedy == "install a CUDA build of the same PyTorch (pytorch.org says how)"


def test_the_driver_is_read_from_what_the_kernel_says(tmp_path: Path) -> None:
    file = tmp_path / "version"
    assert driver_version(file) is None
    gcc = "GCC version:  gcc version 12.3.0 (Ubuntu 12.3.0-1ubuntu1~22.04)\n"
    for line, version in (
        ("NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.161.08  Sat Feb 17 22:55:48 UTC 2024", "535.161.08"),
        ("NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  555.42.02  Release Build", "555.42.02"),
        ("NVRM version: something new", "of unknown version"),
    ):
        file.write_text(f"{line}\n{gcc if version[0].isdigit() else ''}")
        assert driver_version(file) == version


def test_the_automatic_engine_is_what_a_run_would_get() -> None:
    resolved = resolve(EngineConfig())
    result = automatic_engine().found
    assert result.startswith(f"transformers on {resolved.device.type}, {str(resolved.dtype)[6:]}")
    assert f", {resolved.token_budget} tokens a pass, {resolved.cache_gib:g} GiB of keys" in result


def test_found_gpus_are_those_that_pytorch_sees() -> None:
    gpus = found_gpus()
    assert len(gpus) == torch.cuda.device_count()
    assert all(0 < gpu.free <= gpu.total for gpu in gpus)


def test_the_processor_is_named_with_its_cores() -> None:
    check = processor()
    assert check.status == "ok"
    assert " cores" in check.found
