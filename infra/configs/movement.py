"""How particles move, restart, are skipped and stop: what the swarms of all algorithms have in common."""

from pydantic import BaseModel as Schema
from pydantic import ConfigDict, Field

from swarm.parameters import InitialVelocity


class MovementConfig(Schema):
    """The parameters of the particle swarm update, and of when a search stops (docs/algorithms.md §1)."""

    model_config = ConfigDict(extra="forbid", title="Movement")

    inertia: float = Field(0.2, ge=0, le=100, title="Inertia (φ_v)", description="Weight of a particle's own velocity.")
    cognitive: float = Field(
        0.3, ge=0, le=100, title="Cognitive (φ_p)", description="Weight of the pull to its personal best."
    )
    social: float = Field(0.4, ge=0, le=100, title="Social (φ_g)", description="Weight of the pull to the global best.")
    repulsion: float = Field(
        0.05, ge=0, le=100, title="Repulsion (φ_w)", description="Weight of the push off the global worst."
    )
    step_length: float = Field(
        0.8, gt=0, le=100, title="Step length (λ)", description="Multiplies the velocity in the first move."
    )
    step_decay: float = Field(
        0.95, gt=0, le=1, title="Step decay (φ_λ)", description="λ is multiplied by it every move."
    )
    min_step_length: float = Field(0.1, ge=0, le=100, title="Least step length", description="λ never falls below it.")
    max_iterations: int = Field(50, ge=1, le=100_000, title="Iterations (K)", description="Moves at most.")
    patience: int = Field(
        10, ge=1, le=100_000, title="Patience", description="Evaluated iterations without a better global best."
    )
    restart_patience: int = Field(
        5,
        ge=1,
        le=100_000,
        title="Restart patience",
        description="A particle whose best is so many iterations old restarts from it.",
    )
    initial_velocity: InitialVelocity = Field(
        "random",
        title="Initial velocity",
        description="Towards another random particle, towards the best one, or zero.",
    )
    crossover_limit: float = Field(
        1.0, gt=0, le=100, title="Crossover limit", description="A child is t·a + (1 − t)·b with t ~ U(0, limit)."
    )
    drop_iteration: float = Field(
        0.0, ge=0, lt=1, title="Drop-K", description="Probability that an iteration's evaluation is skipped."
    )
    drop_particle: float = Field(
        0.0, ge=0, lt=1, title="Drop-N", description="Probability that a particle's evaluation is skipped."
    )
    reference: bool = Field(
        False, title="Reference", description="Behave, and default, as the paper's public code does (for comparisons)."
    )
