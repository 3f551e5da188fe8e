"""What this project adds to vLLM's worker: weights and adapters from memory, and a watch on the logits.

vLLM mixes `SwarmWorker` into its own worker class; its methods are called by name with `collective_rpc`.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch

from infra.engines.vllm.adapters import Update

Adapters = Mapping[int, Mapping[str, Update]]
"""The updates of each adapted module, by the adapter's integer id."""


class SwarmWorker:
    """Methods of a worker that holds `model_runner`."""

    model_runner: Any

    def swarm_watch_logits(self) -> None:
        """Remember from now on whether a row of logits had no finite maximum; the values never leave the device."""
        model = self.model_runner.get_model()
        compute, device = model.compute_logits, self.model_runner.device
        self.swarm_broken = torch.zeros((), dtype=torch.bool, device=device)

        def watched(*args: Any, **kwargs: Any) -> torch.Tensor | None:
            logits: torch.Tensor | None = compute(*args, **kwargs)
            if logits is not None and logits.numel():
                self.swarm_broken |= ~torch.isfinite(logits.amax(dim=-1)).all()
            return logits

        model.compute_logits = watched

    def swarm_broken_logits(self) -> bool:
        """Return whether logits were NaN or infinite since the last call; if so, clear the cache they went into."""
        broken = bool(self.swarm_broken)
        if broken:
            self.swarm_broken.zero_()
            for cache in self.model_runner.kv_caches:
                cache.zero_()
        return broken

    def swarm_load_weights(self, weights: Iterable[tuple[str, torch.Tensor]]) -> None:
        """Overwrite the model's weights in place, by their names in its safetensors; those below adapters, too."""
        with torch.no_grad():
            self.model_runner.get_model().load_weights(weights)

    def swarm_set_adapters(self, adapters: Adapters) -> Sequence[str]:
        """Replace all adapters; return the modules that vLLM can't adapt (then none is left)."""
        manager = self.model_runner.lora_manager
        manager.remove_all_adapters()
        for adapter_id, updates in adapters.items():
            model = self._swarm_lora_model(adapter_id, updates)
            manager._adapter_manager.add_adapter(model)
            if unsupported := sorted(model.loras.keys() - manager._adapter_manager.modules.keys()):
                manager.remove_all_adapters()
                return unsupported
            manager._adapter_manager.activate_adapter(adapter_id)
        return []

    def swarm_adapters(self) -> Sequence[int]:
        """Return the ids of the registered adapters."""
        return sorted(self.model_runner.lora_manager.list_adapters())

    def _swarm_lora_model(self, adapter_id: int, updates: Mapping[str, Update]) -> Any:
        from vllm.lora.lora_model import LoRAModel
        from vllm.lora.peft_helper import PEFTHelper

        rank = max(down.shape[0] for down, _ in updates.values())
        mapper = getattr(self.model_runner.get_model(), "hf_to_vllm_mapper", None)
        tensors: dict[str, torch.Tensor] = {}
        for module, (down, up) in updates.items():
            tensors[f"base_model.model.{module}.lora_A.weight"] = down
            tensors[f"base_model.model.{module}.lora_B.weight"] = up
        return LoRAModel.from_lora_tensors(
            adapter_id,
            tensors,
            PEFTHelper(r=rank, lora_alpha=rank, target_modules=list(updates)),
            device=str(self.model_runner.device),
            dtype=self.model_runner.lora_manager.lora_config.lora_dtype,
            weights_mapper=None if mapper is None else mapper.get_rename_mapper(),
        )
