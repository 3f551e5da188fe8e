"""Name the machine, and measure what it can do at most: what every other benchmark is compared with.

python -m bench.machine [--threads T] [--quick]
"""

import os
import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Annotated

import torch
import typer
from rich.console import Console
from rich.table import Table
from torch import nn

from infra.engines.packed.packed_weights import PackedWeights

console = Console()

Threads = Annotated[int, typer.Option(min=1, help="PyTorch threads, for the ceiling and for what is measured.")]
Quick = Annotated[bool, typer.Option(help="Small sizes and few rounds: shows that it runs, measures nothing.")]


@dataclass(frozen=True)
class Stream:
    """Two of STREAM's kernels over float32 arrays that no cache holds (McCalpin, 1995).

    Attributes:
        a: written.
        b: read.
        c: read by the triad.

    """

    a: torch.Tensor
    b: torch.Tensor
    c: torch.Tensor

    @classmethod
    def of(cls, megabytes: int) -> "Stream":
        """Make three arrays of so many MB (10⁶ bytes) each."""
        return cls(*(torch.ones(megabytes * 250_000) for _ in range(3)))

    def copy(self) -> None:
        """Do a ← b."""
        self.a.copy_(self.b)

    def triad(self) -> None:
        """Do a ← b + 3 c."""
        torch.add(self.b, self.c, alpha=3.0, out=self.a)

    @property
    def copy_bytes(self) -> int:
        """Bytes read and written by `copy`, counted as STREAM does: without what a cache fetches before a write."""
        return 2 * self.a.nbytes

    @property
    def triad_bytes(self) -> int:
        """Bytes read and written by `triad`."""
        return 3 * self.a.nbytes


def rounds(
    actions: Mapping[str, Callable[[], object]], count: int, clock: Callable[[], float] = time.perf_counter
) -> dict[str, list[float]]:
    """Return the seconds of each action in each of `count` rounds, after a round that warms up, by `clock`.

    Every round runs every action once, in turn, so that whatever else the machine does meets all of them alike: a
    ratio of two times of one round is steadier than either time.
    """
    seconds: dict[str, list[float]] = {name: [] for name in actions}
    for number in range(count + 1):
        for name, action in actions.items():
            start = clock()
            action()
            if number:
                seconds[name].append(clock() - start)
    return seconds


def processor() -> str:
    """Return the processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def describe(threads: int) -> str:
    """Return one line that names the machine and how busy it is now."""
    cores, memory = os.cpu_count(), os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return (
        f"{processor()}, {cores} cores, {memory / 2**30:.0f} GiB; {threads} thread(s), load {os.getloadavg()[0]:.1f}; "
        f"Python {platform.python_version()}, PyTorch {torch.__version__}"
    )


def gemm(size: int, tokens: int | None = None) -> tuple[Callable[[], object], int]:
    """Return a float32 product of `tokens` (`size` if None) × `size` × `size`, and its floating-point operations."""
    a, b = torch.rand(tokens or size, size), torch.rand(size, size)
    out = torch.empty(tokens or size, size)
    return lambda: torch.mm(a, b, out=out), 2 * (tokens or size) * size**2


def packed_gemm(size: int, tokens: int | None = None) -> tuple[Callable[[], object], int]:
    """Return the same by a weight that has been packed once, as the engine's are (docs/decisions/0016)."""
    inputs, linear = torch.rand(tokens or size, size), nn.Linear(size, size, bias=False).requires_grad_(False)
    PackedWeights(linear).pack(final=True)
    return lambda: linear(inputs), 2 * (tokens or size) * size**2


def main(threads: Threads = 1, quick: Quick = False) -> None:
    """Print the machine's name, its memory bandwidth and its matrix product rates."""
    torch.set_num_threads(threads)
    stream = Stream.of(4 if quick else 256)
    size = 128 if quick else 2048
    work: dict[str, tuple[Callable[[], object], int]] = {
        "STREAM copy": (stream.copy, stream.copy_bytes),
        "STREAM triad": (stream.triad, stream.triad_bytes),
    }
    for tokens in (size, 64, 16):
        work |= {f"{tokens} × {size} × {size}, float32": gemm(size, tokens)}
        work |= {f"{tokens} × {size} × {size}, weight packed": packed_gemm(size, tokens)}
    table = Table("ceiling", "median", "best", "unit", title=describe(threads), title_justify="left")
    for name, seconds in rounds({name: action for name, (action, _) in work.items()}, 2 if quick else 15).items():
        amount = work[name][1]
        rates = (amount / median(seconds) / 1e9, amount / min(seconds) / 1e9)
        table.add_row(name, *(f"{rate:.1f}" for rate in rates), "GB/s" if "STREAM" in name else "GFLOP/s")
    console.print(table)


if __name__ == "__main__":
    typer.run(main)
