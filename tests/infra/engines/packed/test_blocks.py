from data.requests import Generate, LogLikelihood
from infra.engines.packed.blocks import Block, blocks

A, B, C = Generate("a", 1), Generate("b", 1), LogLikelihood("c", ("d",))


def test_particles_asked_the_same_are_one_block() -> None:
    assert blocks([[A, C], [A, C], [A, C]]) == [Block((0, 1, 2), (A, C), (0, 1))]


def test_a_particle_alone_is_asked_as_a_population_of_one() -> None:
    assert blocks([[A, B]]) == [Block((0,), (A, B), (0, 1))]
    assert blocks([[A, B], [], []]) == [Block((0,), (A, B), (0, 1))]


def test_all_that_is_asked_of_single_particles_is_one_block() -> None:
    assert blocks([[A, B], [C], [B], [C]]) == [
        Block((1, 3), (C,), (0,)),
        Block((0, 2), (A, B, B), (0, 1, 0), owners=(0, 0, 2)),
    ]


def test_nothing_asked_is_nothing_to_do() -> None:
    assert blocks([]) == blocks([[]]) == blocks([[], []]) == []
