"""The configuration and the data of one expert's training."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel as Schema
from pydantic import ConfigDict, Field

from swarm.draws import MAX_SEED


class TrainingConfig(Schema):
    """How one expert is trained."""

    model_config = ConfigDict(extra="forbid")

    rank: int = Field(8, ge=1, le=4096, description="Rank of the LoRA update.")
    alpha: float = Field(16, gt=0, le=1e6, description="The update is scaled by alpha / rank.")
    targets: list[str] = Field(["q_proj", "k_proj", "v_proj", "o_proj"], min_length=1, description="Adapted modules.")
    steps: int = Field(150, ge=1, le=10_000_000, description="Optimiser steps.")
    batch_size: int = Field(16, ge=1, le=100_000, description="Examples a step.")
    learning_rate: float = Field(
        1e-3, gt=0, le=100, description="Peak learning rate of AdamW; linear warm-up and decay."
    )
    warmup: int = Field(10, ge=0, le=10_000_000, description="Steps of linear warm-up.")
    seed: int = Field(0, ge=0, le=MAX_SEED, description="Decides the initial adapter and every batch.")
    threads: int = Field(
        1, ge=1, le=1024, description="Threads PyTorch uses; part of what the resulting bits depend on."
    )


@dataclass(frozen=True)
class Source:
    """Training examples of one origin, and the share of each batch that is drawn from them.

    Attributes:
        name: shown in the provenance.
        sha256: content hash of the data.
        share: > 0; relative to the other sources' shares.
        pairs: (prompt, completion) texts.

    """

    name: str
    sha256: str
    share: float
    pairs: Sequence[tuple[str, str]]
