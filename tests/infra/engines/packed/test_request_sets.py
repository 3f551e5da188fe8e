from data.requests import Generate, LogLikelihood
from infra.engines.packed.request_sets import RequestSet, request_sets

A, B, C = Generate("a", 1), Generate("b", 1), LogLikelihood("c", ("d",))


def test_particles_with_the_same_requests_are_one_set() -> None:
    assert request_sets([[A, C], [A, C], [A, C]]) == [RequestSet((0, 1, 2), (A, C), (0, 1))]


def test_a_particle_alone_is_evaluated_as_a_population_of_one() -> None:
    assert request_sets([[A, B]]) == [RequestSet((0,), (A, B), (0, 1))]
    assert request_sets([[A, B], [], []]) == [RequestSet((0,), (A, B), (0, 1))]


def test_requests_of_single_particles_are_one_set() -> None:
    assert request_sets([[A, B], [C], [B], [C]]) == [
        RequestSet((1, 3), (C,), (0,)),
        RequestSet((0, 2), (A, B, B), (0, 1, 0), owners=(0, 0, 2)),
    ]


def test_no_requests_are_no_set() -> None:
    assert request_sets([]) == request_sets([[]]) == request_sets([[], []]) == []
