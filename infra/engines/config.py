"""Which engine evaluates, and how: one section of a run's configuration."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from data.plugins import PluginName, Plugins

ENGINE_PLUGINS = Plugins("model_swarms.engines", "engine.kind", ("transformers", "vllm", "ray"))
"""Each entry point is an `EngineKind` (`infra/engines/base.py`) of its own name."""


_MOST_THREADS = 1024


class VllmConfig(BaseModel):
    """What only the vLLM engine knows."""

    model_config = ConfigDict(extra="forbid", frozen=True, title="vLLM")

    memory: float = Field(
        default=0.9,
        gt=0,
        le=1,
        title="Share of the GPU's memory",
        description="What vLLM may use of the GPU's memory, cache included; on a CPU it has no meaning.",
    )
    max_model_len: int | None = Field(
        default=None,
        ge=1,
        le=100_000_000,
        title="Longest text",
        description="Most tokens of a prompt with its answer (if empty: what the base model takes).",
    )
    adapters: Literal["auto", "lora", "merged"] = Field(
        default="auto",
        title="Adapters",
        description="lora: vLLM's LoRA kernels, the whole population at once. merged: each particle's update added to "
        "the weights in memory, one particle after another. auto: lora on a GPU, merged on a CPU.",
    )
    prefix_caching: bool = Field(
        default=True, title="Prefix caching", description="Compute what prompts begin with alike only once a particle."
    )
    batch_invariant: bool = Field(
        default=False,
        title="Batch-invariant kernels",
        description="Answers that don't depend on what else is in a batch (a GPU of compute capability 9 or newer).",
    )


class RayConfig(BaseModel):
    """The pool of a Ray engine: actors that hold an engine each."""

    model_config = ConfigDict(extra="forbid", frozen=True, title="Ray pool")

    engine: Literal["transformers", "vllm"] = Field(
        default="transformers", title="Engine of an actor", description="What each actor evaluates with."
    )
    address: str | None = Field(
        default=None,
        pattern=r"^(auto|[^\s/]+:\d{1,5})$",
        title="Cluster",
        description="Address of a running cluster that this machine is a node of: auto or HOST:PORT (if empty: one is "
        "started on this machine, for this run).",
    )
    actors: int | None = Field(
        default=None,
        ge=1,
        le=10_000,
        title="Actors",
        description="Engines in the pool (if empty: as many as the cluster can hold).",
    )
    cpus: float = Field(
        default=1, gt=0, le=1024, allow_inf_nan=False, title="CPU cores an actor", description="Reserved in Ray."
    )
    gpus: float | None = Field(
        default=None,
        ge=0,
        le=128,
        allow_inf_nan=False,
        title="GPUs an actor",
        description="Reserved in Ray (if empty: 1 if the engine's device is a GPU, else 0).",
    )
    wait: float = Field(
        default=600,
        gt=0,
        le=604_800,
        allow_inf_nan=False,
        title="Wait for an actor",
        description="Seconds at most until an actor has its place in the cluster and has loaded the base model.",
    )


class EngineConfig(BaseModel):
    """The engine that answers an objective's requests."""

    model_config = ConfigDict(extra="forbid", frozen=True, title="Engine")

    kind: Annotated[str, PluginName(ENGINE_PLUGINS)] = Field(
        default="transformers",
        title="Kind",
        description="transformers: PyTorch on a CPU or a GPU, in this process. vllm: vLLM. ray: a pool of either, over "
        "the GPUs and machines of a Ray cluster.",
    )
    vllm: VllmConfig = Field(
        default_factory=VllmConfig, title="vLLM", description="For kind: vllm, and for a Ray pool of vLLM engines."
    )
    ray: RayConfig = Field(default_factory=RayConfig, title="Ray pool", description="For kind: ray.")
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
        le=1024,
        title="Threads a worker",
        description="PyTorch threads of each worker on a CPU (1 if empty). Another value rounds differently, so "
        "answers are not shared between values.",
    )
    workers: int | None = Field(
        default=None,
        ge=1,
        le=1024,
        title="Workers",
        description="Batches computed at the same time on a CPU, on one copy of the weights (if empty: all cores, at "
        "most 16). Answers don't depend on it.",
    )
    token_budget: int | None = Field(
        default=None,
        ge=1,
        le=100_000_000,
        title="Tokens a pass",
        description="Prompt tokens computed together, over all particles of a group (if empty: 2048 on a CPU, 32768 on "
        "a GPU). Smaller saves memory.",
    )
    cache_gib: float | None = Field(
        default=None,
        gt=0,
        le=100_000,
        allow_inf_nan=False,
        title="Cache",
        description="GiB of keys and values that a worker keeps while it generates (if empty: 1 on a CPU, 16 on a "
        "GPU). Smaller saves memory.",
    )
    group_size: int = Field(
        default=8,
        ge=1,
        le=10_000,
        title="Particles a group",
        description="Particles evaluated together: the unit of loss.",
    )

    @model_validator(mode="after")
    def _threads_are_few(self) -> Self:
        threads = (self.threads or 1) * (self.workers or 1)
        if threads > _MOST_THREADS:
            raise ValueError(
                f"threads: {self.threads} for each of {self.workers} workers are {threads}, more than {_MOST_THREADS}: "
                "lower one of them"
            )
        return self
