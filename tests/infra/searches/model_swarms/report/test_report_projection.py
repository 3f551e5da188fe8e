import numpy as np

from infra.searches.model_swarms.report.projection import principal_components


def test_positions_of_three_experts_keep_their_distances_on_the_map() -> None:
    positions = np.random.default_rng(1).dirichlet(np.ones(3), size=20)
    projection = principal_components(positions)
    coordinates = projection(positions)
    np.testing.assert_allclose(
        np.linalg.norm(coordinates[0] - coordinates, axis=1),
        np.linalg.norm(positions[0] - positions, axis=1),
        atol=1e-12,
    )
    assert sum(projection.shares) == 1 and not projection.is_flat


def test_the_first_axis_is_the_direction_in_which_the_points_differ_most() -> None:
    points = np.array([[-3.0, 0, 0], [3, 0, 0], [0, 1, 0], [0, -1, 0]])
    projection = principal_components(points)
    np.testing.assert_allclose(projection.axes, [[1, 0, 0], [0, 1, 0]], atol=1e-12)
    np.testing.assert_allclose(projection.shares, [0.9, 0.1])


def test_positions_of_two_experts_lie_on_a_line() -> None:
    share = np.linspace(-0.5, 1.5, 9)
    projection = principal_components(np.stack([share, 1 - share], axis=1))
    assert projection.is_flat
    assert not projection(np.eye(2))[:, 1].any()


def test_mirrored_points_give_the_same_axes() -> None:
    points = np.random.default_rng(2).normal(size=(12, 4))
    np.testing.assert_allclose(principal_components(points).axes, principal_components(-points).axes, atol=1e-12)


def test_equal_points_have_a_map_without_extent() -> None:
    projection = principal_components(np.full((5, 3), 1 / 3))
    assert projection.shares == (0.0, 0.0)
    assert not projection(np.full(3, 1 / 3)).any()
