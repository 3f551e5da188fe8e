"""How the memory of an evaluation grows with the population."""

from bench.evaluation.parts.children import in_child, peak_since_now
from bench.evaluation.parts.figures import Figure, at_most
from bench.evaluation.parts.made import LINEAR, adapter_bytes, random_basis
from bench.evaluation.parts.workloads import base_model, population
from data.requests import Generate
from infra.engines.config import EngineConfig
from infra.engines.kinds import open_engine

SMALL, LARGE = 8, 64
EXPERTS, RANK = 3, 16
ROWS, WORDS = 16, "apples and pears and figs and plums and dates and limes and kiwis"
"""More tokens for the small population than an engine computes together, so that what it computes with is the same."""
CONSTANT = 64_000_000
"""Bytes that the growth may have beside the adapters: what an allocator keeps, larger lists of rows and answers."""


def figure(quick: bool) -> Figure:
    """Compare the high water marks of two processes, above base model and basis."""
    large = SMALL + 1 if quick else LARGE
    (less, adapter), (more, _) = (in_child(peak, size) for size in (SMALL, large))
    growth, allowed = more - less, LARGE * adapter + CONSTANT
    rest = growth - (large - SMALL) * adapter
    detail = (
        f"an adapter is {adapter / 1e6:.1f} MB; {less / 1e6:.0f} MB with {SMALL}, {more / 1e6:.0f} MB with {large}: "
        f"{large - SMALL} adapters and {rest / 1e6:.0f} MB; reach = {LARGE} adapters + {CONSTANT / 1e6:.0f} MB"
    )
    name = f"memory: population of {SMALL} → {large}"
    return at_most("memory", name, growth / 1e6, " MB", round(allowed / 1e6), detail)


def peak(particles: int) -> tuple[int, int]:
    """Return by how many bytes evaluating rises above the open engine at its highest, and the size of an adapter."""
    base = base_model()
    basis = random_basis(base, EXPERTS, RANK, LINEAR)
    config = EngineConfig(device="cpu", threads=1, workers=1, group_size=particles)
    engine = open_engine(config, base, basis)
    risen = peak_since_now()
    requests = [Generate(f"{number} {WORDS}", 2) for number in range(ROWS)]
    engine.run(population(basis.ids, particles), [requests] * particles)
    return risen(), adapter_bytes(basis)
