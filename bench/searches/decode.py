"""Decode a million random and adversarial adjacencies: every one must give an in-tree, and stay as it was.

    python -m bench.searches.decode [--matrices 1000000]

Prints how many were decoded a second. Ends with 1 at the first that fails.
"""

import argparse
import sys
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from swarm.decode import decode_all

BATCH = 500
Floats = NDArray[np.float64]
Maker = Callable[[np.random.Generator, tuple[int, ...]], Floats]


def huge(draws: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """Return numbers of every magnitude that float64 has, of both signs."""
    made: Floats = draws.choice([-1.0, 1.0], shape) * 10.0 ** draws.uniform(-307, 308, shape)
    return made


def tiny(draws: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """Return subnormal numbers and both zeros."""
    return draws.choice([0.0, -0.0, 5e-324, -5e-324, 2e-308], shape)


def mixed(draws: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """Return rows of one kind beside rows of another."""
    rows = draws.integers(3, size=shape[:-1])[..., None]
    return np.where(rows == 0, huge(draws, shape), np.where(rows == 1, tiny(draws, shape), draws.random(shape)))


KINDS: dict[str, Maker] = {
    "uniform": lambda draws, shape: draws.random(shape),
    "moved": lambda draws, shape: draws.normal(0.5, 2.0, shape),
    "negative": lambda draws, shape: -draws.random(shape),
    "zero": lambda draws, shape: np.zeros(shape),
    "equal": lambda draws, shape: np.full(shape, draws.random()),
    "sparse": lambda draws, shape: draws.random(shape) * (draws.random(shape) < 0.1),
    "huge": huge,
    "tiny": tiny,
    "mixed": mixed,
    "extremes": lambda draws, shape: draws.choice([-1.7976931348623157e308, 0.0, 1.7976931348623157e308], shape),
}


def all_in_trees(successors: NDArray[np.intp]) -> bool:
    """Tell whether each row of `successors` [B, n] has one end node (−1), to which every other node leads."""
    graphs, n = successors.shape
    place = np.where(successors < 0, np.arange(n), successors)  # the end node leads to itself
    ends = (successors < 0).sum(axis=1) == 1
    known = (successors >= -1).all() and (successors < n).all() and (place != np.arange(n)).sum() == graphs * (n - 1)
    for _ in range(n.bit_length()):  # n steps at least: by doubling
        place = np.take_along_axis(place, place, axis=1)
    return bool(known and ends.all() and (place == np.argmin(successors, axis=1)[:, None]).all())


def check(maker: Maker, draws: np.random.Generator, n: int, count: int) -> tuple[bool, float]:
    """Decode `count` matrices of n nodes; return whether all is well, and the seconds that decoding took."""
    adjacencies, uniforms = maker(draws, (count, n, n)), draws.random((count, 2 * n - 1))
    before = adjacencies.tobytes()
    top_p = float(draws.choice([0.0, 0.5, 0.8, 1.0]))
    start = time.perf_counter()
    successors = decode_all(adjacencies, uniforms, top_p)
    seconds = time.perf_counter() - start
    return all_in_trees(successors) and adjacencies.tobytes() == before, seconds


def main() -> int:
    """Decode them all; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--matrices", type=int, default=1_000_000)
    wanted = parser.parse_args().matrices
    draws, decoded, seconds = np.random.default_rng(0), 0, 0.0
    np.seterr(all="raise", under="ignore")  # a NaN on the way is a failure too
    while decoded < wanted:
        for name, maker in KINDS.items():
            n, count = int(draws.integers(2, 33)), min(BATCH, wanted - decoded)
            well, took = check(maker, draws, n, count)
            if not well:
                print(f"{name}, n = {n}: not all of {count} are in-trees, or one was changed")
                return 1
            decoded, seconds = decoded + count, seconds + took
    print(f"{decoded} adjacencies of 2 to 32 nodes ({', '.join(KINDS)}): all in-trees, all unchanged")
    print(f"{decoded / seconds:.0f} decoded a second on one core")
    return 0


if __name__ == "__main__":
    sys.exit(main())
