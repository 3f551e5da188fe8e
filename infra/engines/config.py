"""Which engine evaluates, and how: one section of a run's configuration."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class EngineConfig(BaseModel):
    """The engine that answers an objective's requests."""

    model_config = ConfigDict(extra="forbid", frozen=True, title="Engine")

    kind: Literal["transformers"] = Field(
        default="transformers", title="Kind", description="transformers: PyTorch on a CPU or a GPU, in this process."
    )
    device: str = Field(
        default="auto",
        title="Device",
        pattern=r"^(auto|cpu|cuda(:\d+)?)$",
        description="auto (a GPU if there is one), cpu, cuda or cuda:N.",
    )
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        default="auto", title="Number format", description="auto: float32 on a CPU, bfloat16 on a GPU."
    )
    threads: int | None = Field(
        default=None,
        ge=1,
        title="Threads a worker",
        description="PyTorch threads of each worker on a CPU (1 if empty). Another value rounds differently, so "
        "answers are not shared between values.",
    )
    workers: int | None = Field(
        default=None,
        ge=1,
        title="Workers",
        description="Batches computed at the same time on a CPU, on one copy of the weights (if empty: all cores, at "
        "most 16). Answers don't depend on it.",
    )
    token_budget: int | None = Field(
        default=None,
        ge=1,
        title="Tokens a batch",
        description="Prompt tokens computed together, over all particles of a group (if empty: 2048 on a CPU, 32768 on "
        "a GPU). Smaller saves memory.",
    )
    group_size: int = Field(
        default=8, ge=1, title="Particles a group", description="Particles evaluated together: the unit of loss."
    )
