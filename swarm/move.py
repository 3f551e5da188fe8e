"""The one equation of particle swarm optimisation (Model Swarms, arXiv 2410.11163; docs/algorithms.md §1)."""

from swarm.arrays import Floats
from swarm.parameters import Parameters


def move(
    parameters: Parameters, step_length: float, draws: Floats, x: Floats, v: Floats, p: Floats, g: Floats, w: Floats
) -> tuple[Floats, Floats]:
    """Return the positions and velocities [N, n] after one move.

    Args:
        parameters: the four weights φ.
        step_length: λ.
        draws: r [N, 4] in (0, 1], in the order (r_v, r_p, r_g, r_w).
        x: positions [N, n].
        v: velocities [N, n].
        p: personal bests [N, n].
        g: global best [n].
        w: global worst [n].

    """
    a_v = draws[:, 0:1] * parameters.inertia  # r_v φ_v
    a_p = draws[:, 1:2] * parameters.cognitive  # r_p φ_p
    a_g = draws[:, 2:3] * parameters.social  # r_g φ_g
    a_w = draws[:, 3:4] * parameters.repulsion  # r_w φ_w
    C = a_v + a_p + a_g + a_w  # normalisation
    v = (a_v * v + a_p * (p - x) + a_g * (g - x) + a_w * (x - w)) / C  # v_i ← (1/C) [ … ]
    x = x + step_length * v  # x_i ← x_i + λ v_i
    return x, v
