"""The search over coefficients is the search over tensors: the paper's update on real tensors, in float64."""

import numpy as np
import pytest

from swarm.parameters import Parameters
from swarm.population import initialise
from swarm.pso import ask, tell

N, n, RANK, WIDTH, ITERATIONS = 6, 3, 2, 5, 50
REWARD = np.random.default_rng(9).normal(size=WIDTH)


class TensorSearch:
    """Model Swarms as its public code runs it: a list of tensors a particle, no coefficients anywhere."""

    def __init__(self, parameters, x, v):
        self.parameters, self.x, self.v, self.p = parameters, x, v, list(x)
        self.best, self.found, self.restart = [-np.inf] * N, [0] * N, [-(10**9)] * N
        self.f_g, self.f_w, self.step = -np.inf, np.inf, parameters.step_length

    def tell(self, iteration, utilities):
        for i, utility in enumerate(utilities):
            if utility > self.best[i]:
                self.best[i], self.found[i], self.p[i] = utility, iteration, self.x[i]
            if utility > self.f_g:
                self.f_g, self.g = utility, self.x[i]
            if utility < self.f_w:
                self.f_w, self.w = utility, self.x[i]

    def move(self, iteration, draws):
        φ = self.parameters
        for i, (r_v, r_p, r_g, r_w) in enumerate(draws):
            x, v, p = self.x[i], self.v[i], self.p[i]
            if iteration - max(self.found[i], self.restart[i]) >= φ.restart_patience:
                x, v, self.restart[i] = p, [0 * tensor for tensor in v], iteration
            C = r_v * φ.inertia + r_p * φ.cognitive + r_g * φ.social + r_w * φ.repulsion
            self.v[i] = [
                (
                    r_v * φ.inertia * v_t
                    + r_p * φ.cognitive * (p_t - x_t)
                    + r_g * φ.social * (g_t - x_t)
                    + r_w * φ.repulsion * (x_t - w_t)
                )
                / C
                for v_t, p_t, g_t, x_t, w_t in zip(v, p, self.g, x, self.w, strict=True)
            ]
            self.x[i] = [x_t + self.step * v_t for x_t, v_t in zip(x, self.v[i], strict=True)]
        self.step = max(self.step * φ.step_decay, φ.min_step_length)


def combined(coefficients, experts):
    """Return Σ c_j E_j, tensor by tensor."""
    return [sum(c * tensor for c, tensor in zip(coefficients, of_experts, strict=True)) for of_experts in experts]


def utility_of(tensors):
    """Return the quality of an update: how far it sends a fixed input from a fixed output."""
    update = tensors[0] if len(tensors) == 1 else tensors[1] @ tensors[0]
    return -float(np.square(update @ REWARD - REWARD).sum())


def lora_experts():
    draws = np.random.default_rng(4)
    A = [draws.normal(size=(RANK, WIDTH)) for _ in range(n)]
    B = [draws.normal(size=(WIDTH, RANK)) for _ in range(n)]
    return A, B


def factors():
    A, B = lora_experts()
    return [A, B]


def product():
    A, B = lora_experts()
    return [[b @ a for a, b in zip(A, B, strict=True)]]


@pytest.mark.parametrize("space", [factors, product])
@pytest.mark.parametrize("velocity", ["random", "zero"])
def test_coefficients_times_experts_are_the_tensors_of_a_tensor_search(space, velocity):
    experts, parameters = space(), Parameters(particles=N, restart_patience=4, initial_velocity=velocity)
    state = initialise(parameters, 7, n)
    x = [combined(row, experts) for row in state.positions]
    tensors = TensorSearch(parameters, x, [combined(row, experts) for row in state.velocities])
    restarts = 0
    for iteration in range(ITERATIONS + 1):
        utilities = [utility_of(particle) for particle in tensors.x]
        tensors.tell(iteration, utilities)
        state = tell(parameters, state, utilities)
        assert_equal(state.positions, experts, tensors.x)
        assert_equal(state.velocities, experts, tensors.v)
        assert_equal(state.personal_bests, experts, tensors.p)
        assert_equal([state.global_best.coefficients, state.global_worst.coefficients], experts, [tensors.g, tensors.w])
        state = ask(parameters, 7, state)
        tensors.move(iteration + 1, state.draws)
        restarts += sum(state.restarted)
    assert restarts > N and state.global_best.iteration > 0


def assert_equal(rows, experts, tensors):
    """Assert 1e-6 of the experts' own scale: a velocity may be as small as it likes."""
    for row, particle in zip(rows, tensors, strict=True):
        for made, real in zip(combined(row, experts), particle, strict=True):
            assert np.abs(made - real).max() <= 1e-6 * max(np.abs(real).max(), 1e-3)
