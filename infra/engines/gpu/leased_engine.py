"""An engine on a GPU that it shares, in turns, with the engines of other runs on this machine."""

from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from data.requests import Request, Response
from infra.engines.base import Engine, Progress
from infra.engines.gpu.lease import Gpu, GpuLease, bind
from swarm.recipes import Recipe


def open_leased(open_on: Callable[[Gpu], Engine], gpus: Sequence[Gpu], folder: Path) -> "LeasedEngine":
    """Open an engine on the one of `gpus` (at least one) that `bind` chooses; `folder` holds the locks."""
    lease = bind(folder, gpus)
    try:
        return LeasedEngine(open_on(lease.gpu), lease)
    except BaseException:
        lease.close()
        raise


def visible_gpus(device: torch.device) -> list[Gpu]:
    """Return the GPU that `device` (of type cuda) means, or all that this process sees if it has no index."""
    indices = range(torch.cuda.device_count()) if device.index is None else [device.index]
    return [Gpu(index, str(torch.cuda.get_device_properties(index).uuid)) for index in indices]


class LeasedEngine:
    """Computes as `engine` does, but only while it holds its GPU; see `infra.engines.base.Engine`."""

    def __init__(self, engine: Engine, lease: GpuLease) -> None:
        """Take over both: `close` closes them."""
        self._engine = engine
        self._lease = lease

    @property
    def identity(self) -> str:
        """The engine's own: whose turn it is, and on which GPU, changes no answer."""
        return self._engine.identity

    @property
    def slots(self) -> int:
        """The engine's own."""
        return self._engine.slots

    def run(
        self, population: Sequence[Recipe], requests: Sequence[Sequence[Request]], progress: Progress | None = None
    ) -> list[list[Response]]:
        """Answer as the engine does; in the wait for the GPU, `progress` gets (0, answers in all) and may end it."""
        total = sum(map(len, requests))
        with self._lease.hold(lambda: None if progress is None else progress(0, total)):
            try:
                return self._engine.run(population, requests, progress)
            finally:
                torch.cuda.empty_cache()  # the next holder may need what this process's allocator would keep

    def close(self) -> None:
        """Give back the memory, then the place on the GPU."""
        try:
            self._engine.close()
        finally:
            self._lease.close()
