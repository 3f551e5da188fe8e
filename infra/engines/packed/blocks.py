"""Which of a call's requests are answered together: a pure function, so that rounding is the same every time."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from data.requests import Request


@dataclass(frozen=True)
class Block:
    """Requests that every one of some particles is asked, or requests of which each is asked of one particle.

    Attributes:
        particles: who is asked.
        requests: what is asked.
        owners: None if every particle is asked every request; else the particle that each request is asked of.
        places: the place of each request in its particles' own lists.

    """

    particles: tuple[int, ...]
    requests: tuple[Request, ...]
    places: tuple[int, ...]
    owners: tuple[int, ...] | None = None


def blocks(requests: Sequence[Sequence[Request]]) -> list[Block]:
    """Put particles together that are asked the same; all the others' requests become one block.

    Args:
        requests: of each particle.

    """
    askers: defaultdict[tuple[Request, ...], list[int]] = defaultdict(list)
    for particle, asked in enumerate(requests):
        askers[tuple(asked)].append(particle)
    alike = {asked: particles for asked, particles in askers.items() if len(particles) > 1}
    alone = {particles[0]: asked for asked, particles in askers.items() if len(particles) == 1}
    if len(alone) == 1:
        alike |= {asked: [particle] for particle, asked in alone.items()}
        alone = {}
    found = [Block(tuple(particles), asked, tuple(range(len(asked)))) for asked, particles in alike.items()]
    return [block for block in (*found, _mixed(alone)) if block.requests]


def _mixed(requests: dict[int, tuple[Request, ...]]) -> Block:
    """Return the block of requests that are each asked of one particle."""
    cells = [(particle, place) for particle, asked in requests.items() for place in range(len(asked))]
    owners, places = (tuple(cell[side] for cell in cells) for side in (0, 1))
    return Block(tuple(sorted(set(owners))), tuple(chain.from_iterable(requests.values())), places, owners)
