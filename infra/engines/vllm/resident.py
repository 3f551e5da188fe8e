"""One vLLM engine in this process: opened once, stepped until all requests are done, closed without a trace."""

import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import torch

from experts.base_models import BaseModel
from infra.engines.config import VllmConfig
from infra.engines.resolved import Resolved
from infra.engines.vllm.description import Description
from infra.engines.vllm.process import plain_weights, quiet_process
from infra.engines.vllm.requests import VllmRequest
from infra.engines.vllm.worker import SwarmWorker
from swarm.errors import InputError

_LONGEST_REASON = 400
_CPU_CACHE = 2**30
_SEQUENCES = {"cpu": 64, "cuda": 256}


@dataclass(frozen=True)
class LoraSlots:
    """Slots for adapters, as vLLM is opened with them.

    Attributes:
        count: adapters in one batch.
        rank: the largest rank of an adapter.
        modules: the last names of the modules that adapters may have.
        movable: whether the weights that adapters are added to will be overwritten, too.

    """

    count: int
    rank: int
    modules: tuple[str, ...]
    movable: bool = False


class VllmResident:
    """vLLM with the base model in memory; not thread-safe."""

    def __init__(
        self, base: BaseModel, description: Description, resolved: Resolved, config: VllmConfig, slots: LoraSlots | None
    ):
        """Load `base`; without `slots` its weights can be overwritten, with them it takes adapters (or both).

        Raises:
            InputError: vLLM can't run the base model with this configuration; the message says why.

        """
        self.slots, self.closed = slots, False
        self._calls = count()
        arguments = _arguments(base, description, resolved, config, slots)
        with quiet_process(config.batch_invariant):
            from vllm import LLM

            try:
                with plain_weights(enabled=slots is None or slots.movable):
                    self._llm = LLM(**arguments)
            except (ValueError, KeyError) as error:
                raise InputError(f"vLLM can't run base model {base.name!r} as configured: {_reason(error)}") from error
        self.call(SwarmWorker.swarm_watch_logits)

    def call(self, method: Callable[..., Any], *arguments: Any) -> Any:
        """Call a method of `SwarmWorker` in the worker."""
        return self._llm.collective_rpc(method.__name__, args=arguments)[0]

    def run(self, requests: Sequence[tuple[VllmRequest, Any]], on_finished: Callable[[int], None]) -> bool:
        """Finish all `requests`, each with its LoRARequest or None; call `on_finished` with each one's index.

        It uses no cached prefix of an earlier call, so that the answers depend on `requests` alone. Returns whether all
        logits were finite.
        """
        engine, call = self._llm.llm_engine, next(self._calls)
        self.call(SwarmWorker.swarm_broken_logits)
        self._llm.reset_prefix_cache()
        unfinished = {f"{call}-{index}": index for index in range(len(requests))}
        try:
            for name, (request, adapter) in zip(unfinished, requests, strict=True):
                prompt = {"type": "token", "prompt_token_ids": list(request.tokens)}
                engine.add_request(name, prompt, request.parameters(), lora_request=adapter)
            while unfinished:
                self._step(requests, unfinished, on_finished)
        finally:
            engine.abort_request(list(unfinished))
        return not self.call(SwarmWorker.swarm_broken_logits)

    def close(self) -> None:
        """Give back the memory.

        vLLM's own shutdown would also end the process group that all engines of this process share.
        """
        if self.closed:
            return
        self.closed = True
        client = self._llm.llm_engine.engine_core
        client._finalizer.detach()
        client.engine_core.model_executor.shutdown()
        client.engine_core.scheduler.shutdown()
        del client, self._llm
        gc.unfreeze()
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _step(
        self,
        requests: Sequence[tuple[VllmRequest, Any]],
        unfinished: dict[str, int],
        on_finished: Callable[[int], None],
    ) -> None:
        decided: list[str] = []
        for output in self._llm.llm_engine.step():
            index = unfinished.get(output.request_id)
            if index is None or not requests[index][0].receive(output):
                continue
            del unfinished[output.request_id]
            if not output.finished:
                decided.append(output.request_id)
            on_finished(index)
        self._llm.llm_engine.abort_request(decided)


def _arguments(
    base: BaseModel, description: Description, resolved: Resolved, config: VllmConfig, slots: LoraSlots | None
) -> dict[str, Any]:
    sequences = min(_SEQUENCES[resolved.device.type], resolved.token_budget)
    arguments: dict[str, Any] = {
        "model": str(base.folder),
        "skip_tokenizer_init": True,
        "trust_remote_code": False,
        "load_format": "safetensors",
        "use_tqdm_on_load": False,
        "generation_config": "vllm",
        "dtype": str(resolved.dtype).removeprefix("torch."),
        "max_model_len": description.longest,
        "max_num_batched_tokens": resolved.token_budget,
        "max_num_seqs": sequences,
        "enable_prefix_caching": config.prefix_caching,
        "async_scheduling": False,  # which sequences share a batch would depend on timing
        "worker_extension_cls": f"{SwarmWorker.__module__}.{SwarmWorker.__qualname__}",
    }
    if slots is not None:
        arguments |= {"enable_lora": True, "max_loras": slots.count, "max_lora_rank": slots.rank}
        arguments["lora_target_modules"] = list(slots.modules)
    if resolved.device.type == "cpu":
        return arguments | {"enforce_eager": True, "kv_cache_memory_bytes": _cpu_cache(description, sequences)}
    return arguments | {"gpu_memory_utilization": config.memory, "device_ids": [resolved.device.index or 0]}


def _cpu_cache(description: Description, sequences: int) -> int:
    """Return the bytes of the cache on a CPU: room for two longest texts, more only as far as it can be of use."""
    longest = (description.longest or 0) * description.cache_bytes
    return max(2 * longest, min(_CPU_CACHE, sequences * longest)) or _CPU_CACHE


def _reason(error: Exception) -> str:
    """Return vLLM's message in one line, with our name for its setting."""
    return " ".join(str(error).split())[:_LONGEST_REASON].replace("gpu_memory_utilization", "engine.vllm.memory")
