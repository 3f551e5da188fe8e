"""The last layer's MLP, computed only for the tokens whose logits are wanted: nothing else looks at what it gives."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import local
from typing import Any

import torch
from torch import nn


class LastLayer:
    """The last layer of a model, whose MLP skips tokens: in most passes all but the last of each text."""

    def __init__(self, model: Any):
        """Replace the `forward` of the MLP of this one model, if it has one that takes and gives one tensor."""
        self._wanted = local()
        layers = getattr(model.get_decoder(), "layers", None)
        mlp = getattr(layers[-1], "mlp", None) if isinstance(layers, nn.ModuleList) and layers else None
        if isinstance(mlp, nn.Module):
            mlp.forward = self._skipping(mlp.forward)

    @contextmanager
    def only(self, wanted: torch.Tensor | None) -> Iterator[None]:
        """Compute, in this thread's passes inside the block, for tokens `wanted` (indices) only; None: for all."""
        self._wanted.tokens = wanted
        try:
            yield
        finally:
            self._wanted.tokens = None

    def _skipping(self, forward: Callable[[torch.Tensor], Any]) -> Callable[[torch.Tensor], Any]:
        def skipping(hidden: torch.Tensor) -> Any:
            wanted = getattr(self._wanted, "tokens", None)
            if wanted is None or len(wanted) == hidden.shape[-2]:
                return forward(hidden)
            found = forward(hidden.index_select(-2, wanted))
            if not isinstance(found, torch.Tensor):  # a mixture of experts may give more than the tokens' states
                return forward(hidden)
            return torch.zeros_like(hidden).index_copy_(-2, wanted, found)

        return skipping
