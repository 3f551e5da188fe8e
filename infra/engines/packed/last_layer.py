"""The last layer's MLP, computed only for the tokens whose logits are needed: nothing else uses its output."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import local
from typing import Any

import torch
from torch import nn


class LastLayer:
    """The last layer of a model, whose MLP skips tokens: in most passes all but the last of each text."""

    def __init__(self, model: Any):
        """Replace the `forward` of the MLP of this one model, if it has one that takes and returns one tensor."""
        self._active = local()
        layers = getattr(model.get_decoder(), "layers", None)
        mlp = getattr(layers[-1], "mlp", None) if isinstance(layers, nn.ModuleList) and layers else None
        if isinstance(mlp, nn.Module):
            mlp.forward = self._skipping(mlp.forward)

    @contextmanager
    def only(self, tokens: torch.Tensor | None) -> Iterator[None]:
        """Compute, in this thread's passes inside the block, for `tokens` (indices) only, or for all if None."""
        self._active.tokens = tokens
        try:
            yield
        finally:
            self._active.tokens = None

    def _skipping(self, forward: Callable[[torch.Tensor], Any]) -> Callable[[torch.Tensor], Any]:
        def skipping(hidden: torch.Tensor) -> Any:
            tokens = getattr(self._active, "tokens", None)
            if tokens is None or len(tokens) == hidden.shape[-2]:
                return forward(hidden)
            output = forward(hidden.index_select(-2, tokens))
            if not isinstance(output, torch.Tensor):  # a mixture of experts may return more than the tokens' states
                return forward(hidden)
            return torch.zeros_like(hidden).index_copy_(-2, tokens, output)

        return skipping
