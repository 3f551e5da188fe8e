"""The weights of a model's Linear modules in the order in which oneDNN multiplies them, for float32 on a CPU.

PyTorch's own product sorts the numbers of a weight into its kernel's order whenever it is called: as much work as the
product itself for the few tokens of a decode step. Inductor sorts constant weights once, by private operations;
these are the same (a test compares them with the public product).
"""

from types import MethodType
from typing import Any

import torch
from torch import nn

_TOKENS = 64
"""The number of tokens that the order is chosen for; any other number reads it at the same rate."""


class PackedWeights:
    """The Linear modules of one model that multiply by packed copies of their weights, once `pack` was called."""

    def __init__(self, model: nn.Module) -> None:
        self._modules: list[Any] = [
            module for module in model.modules() if isinstance(module, nn.Linear) and _can_be_packed(module)
        ]

    @torch.inference_mode()
    def pack(self, final: bool = False) -> None:
        """Multiply by the weights as they are now; if `final`, they stay so, and their plain copies are dropped."""
        for module in self._modules:
            module.packed = torch.ops.mkldnn._reorder_linear_weight(module.weight.detach(), _TOKENS)
            module.forward = MethodType(_forward, module)
            if final:
                module.register_parameter("weight", None)


def _forward(self: Any, hidden: torch.Tensor) -> torch.Tensor:
    output: torch.Tensor = torch.ops.mkldnn._linear_pointwise(hidden, self.packed, self.bias, "none", [], "")
    return output


def _can_be_packed(module: nn.Linear) -> bool:
    plain = type(module).forward is nn.Linear.forward and "forward" not in vars(module)
    usual = module.weight.device.type == "cpu" and module.weight.dtype is torch.float32
    return plain and usual and torch.backends.mkldnn.is_available()
