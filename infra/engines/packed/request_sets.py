"""Which of a call's requests are answered together: a pure function, so that rounding is the same every time."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from data.requests import Request


@dataclass(frozen=True)
class RequestSet:
    """Requests that all of some particles answer, or requests that are answered by one particle each.

    Attributes:
        particles: the particles that answer.
        requests: the requests that they answer.
        indices: the index of each request in its particles' own lists.
        owners: None if every particle answers every request; else the particle that answers each request.

    """

    particles: tuple[int, ...]
    requests: tuple[Request, ...]
    indices: tuple[int, ...]
    owners: tuple[int, ...] | None = None


def request_sets(requests: Sequence[Sequence[Request]]) -> list[RequestSet]:
    """Put particles with the same list of requests together; all the others' requests become one set.

    Args:
        requests: the list of each particle.

    """
    particles_of: defaultdict[tuple[Request, ...], list[int]] = defaultdict(list)
    for particle, own in enumerate(requests):
        particles_of[tuple(own)].append(particle)
    shared = {own: particles for own, particles in particles_of.items() if len(particles) > 1}
    unshared = {particles[0]: own for own, particles in particles_of.items() if len(particles) == 1}
    if len(unshared) == 1:
        shared |= {own: [particle] for particle, own in unshared.items()}
        unshared = {}
    sets = [RequestSet(tuple(particles), own, tuple(range(len(own)))) for own, particles in shared.items()]
    return [request_set for request_set in (*sets, _mixed_set(unshared)) if request_set.requests]


def _mixed_set(requests: dict[int, tuple[Request, ...]]) -> RequestSet:
    """Return the set of requests that are answered by one particle each."""
    pairs = [(particle, index) for particle, own in requests.items() for index in range(len(own))]
    owners, indices = (tuple(pair[side] for pair in pairs) for side in (0, 1))
    return RequestSet(tuple(sorted(set(owners))), tuple(chain.from_iterable(requests.values())), indices, owners)
