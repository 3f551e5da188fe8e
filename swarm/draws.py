"""Keyed random draws (docs/algorithms.md §1, "randomness"): no stream, so no draw depends on what was drawn before it.

A generator is a function of (seed, iteration, particle, purpose) alone: the same draws in any order, on any worker,
after any crash.
"""

from enum import IntEnum

import numpy as np

from swarm.errors import InputError

MAX_SEED = 2**63 - 1
"""The largest seed: it fits the signed 64-bit column in which runs are recorded."""


class Draw(IntEnum):
    """The purpose of a random draw. The numbers are part of every finished run: add new ones, never change one."""

    CROSSOVER = 0
    INITIAL_VELOCITY = 1
    MOVE = 2
    DROP_ITERATION = 3
    DROP_PARTICLE = 4
    BOOTSTRAP = 5
    PAIRED_TEST = 6
    DECODE = 7
    ASSIGNMENT = 8
    GRAPH_SWARM = 9
    ADJACENCY = 10
    NOISE = 20
    BATCH = 21


def generator(seed: int, iteration: int, particle: int, purpose: Draw) -> np.random.Generator:
    """Return the generator of one purpose of one particle in one iteration.

    Args:
        seed: the run's seed, 0 … `MAX_SEED`.
        iteration: 0 … 2³² − 1; 0 is the initial population.
        particle: 0 … 2³² − 1; 0 where a draw is for the whole population.
        purpose: what is drawn.

    Raises:
        InputError: the seed is out of range.

    """
    if not 0 <= seed <= MAX_SEED:
        raise InputError(f"seed: must be a whole number from 0 to {MAX_SEED}, not {seed}")
    # A spawn key, not four words of entropy: numpy pads the seed to four words first, so no two keys can meet.
    key = np.random.SeedSequence(seed, spawn_key=(int(purpose), iteration, particle))
    return np.random.Generator(np.random.Philox(key))


def pick(draws: np.random.Generator, count: int) -> int:
    """Return a uniform index of `count` things, from one uniform number: numpy keeps those streams stable."""
    return int(draws.random() * count)


def pick_other(draws: np.random.Generator, count: int, excluded_index: int) -> int:
    """Return a uniform index of `count` ≥ 2 things that is not `excluded_index`."""
    index = pick(draws, count - 1)
    return index + (index >= excluded_index)
