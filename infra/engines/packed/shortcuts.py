"""The same arithmetic with less memory traffic, for the parts of a model that a CPU spends on moving numbers.

Beside its matrix products a Llama spends most on the norms, the rotation of queries and keys, and the gate of its MLP:
transformers writes several temporaries for each, as large as the activations. Here each part is computed with as few
passes over memory as public operations allow. A shortcut replaces the `forward` of one module of one model (never of a
class), and only where it gives what the module itself gives on a random input, so other models stay as they are.
"""

from collections.abc import Callable
from inspect import unwrap
from types import CellType, FunctionType, MethodType
from typing import Any

import torch
from torch import nn
from torch.nn.functional import silu

_ROTATE = "apply_rotary_pos_emb"
"""What transformers' attention modules call to rotate queries and keys; a global of each model's file."""

_TOLERANCE = 1e-5


def take_shortcuts(model: nn.Module) -> int:
    """Replace parts of `model` by faster ones that give the same; return how many."""
    return sum(
        any(attempt(module) for attempt in (_shorten_norm, _shorten_gate, _shorten_rotation))
        for module in model.modules()
    )


@torch.inference_mode()
def _shorten_norm(module: nn.Module) -> bool:
    """Replace a root-mean-square norm: x / √(mean x² + ε) · weight."""
    weight = getattr(module, "weight", None)
    epsilon = getattr(module, "variance_epsilon", None)
    if epsilon is None or not isinstance(weight, nn.Parameter) or weight.ndim != 1:
        return False

    def forward(self: Any, hidden: torch.Tensor) -> torch.Tensor:
        norms = torch.linalg.vector_norm(hidden, dim=-1, keepdim=True)
        scale = norms.square_().div_(hidden.shape[-1]).add_(self.variance_epsilon).rsqrt_()
        normed: torch.Tensor = (hidden * scale).mul_(self.weight)
        return normed

    return _replace(module, forward, _random(weight, 3, len(weight)))


@torch.inference_mode()
def _shorten_gate(module: nn.Module) -> bool:
    """Replace a gated MLP: down(silu(gate(x)) · up(x))."""
    parts = [getattr(module, name, None) for name in ("gate_proj", "up_proj", "down_proj")]
    if not all(isinstance(part, nn.Linear) for part in parts):
        return False

    def forward(self: Any, hidden: torch.Tensor) -> torch.Tensor:
        gate = silu(self.gate_proj(hidden), inplace=True)
        output: torch.Tensor = self.down_proj(gate.mul_(self.up_proj(hidden)))
        return output

    gate: Any = parts[0]
    return _replace(module, forward, _random(gate.weight, 3, gate.in_features))


@torch.inference_mode()
def _shorten_rotation(module: nn.Module) -> bool:
    """Have an attention module rotate queries and keys by `rotate`."""
    forward = type(module).forward
    if not isinstance(forward, FunctionType) or _ROTATE not in (plain := unwrap(forward)).__code__.co_names:
        return False
    weight = next(module.parameters())
    size = getattr(module, "head_dim", None)
    if size is None or weight.dtype is not torch.float32:
        return False
    q, k = _random(weight, 1, 4, 3, size), _random(weight, 1, 2, 3, size)
    angles = _random(weight, 1, 3, size // 2).repeat(1, 1, 2)
    try:
        expected = plain.__globals__[_ROTATE](q, k, angles.cos(), angles.sin())
        actual = rotate(q, k, angles.cos(), angles.sin())
    except (TypeError, ValueError, RuntimeError):
        return False  # another signature: not the rotation known here
    if not all(_same(a, b) for a, b in zip(expected, actual, strict=True)):
        return False
    module.forward = MethodType(_with_globals(forward, {_ROTATE: rotate}), module)
    return True


def _with_globals(function: FunctionType, names: dict[str, Any]) -> FunctionType:
    """Return a copy of `function` with `names` among its globals; decorators stay around it, copied too."""
    inner = getattr(function, "__wrapped__", None)
    global_names, closure = function.__globals__, function.__closure__
    if inner is None:
        global_names = {**global_names, **names}
    elif closure is not None:
        changed = CellType(_with_globals(inner, names))
        closure = tuple(changed if cell.cell_contents is inner else cell for cell in closure)
    copy = FunctionType(function.__code__, global_names, function.__name__, function.__defaults__, closure)
    copy.__kwdefaults__ = function.__kwdefaults__
    return copy


def rotate(
    q: torch.Tensor, k: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor, unsqueeze_dim: int = 1
) -> tuple[torch.Tensor, torch.Tensor]:
    """Rotate queries and keys [B, heads, tokens, size] by position: (a, b) ↦ (a cos − b sin, b cos + a sin).

    `cos` and `sin` are [B, tokens, size], the two halves alike.
    """
    half = cos.shape[-1] // 2
    cos, sin = cos.unsqueeze(unsqueeze_dim), sin.unsqueeze(unsqueeze_dim)[..., :half]

    def rotate_states(states: torch.Tensor) -> torch.Tensor:
        out = states * cos
        out[..., :half].addcmul_(states[..., half:], sin, value=-1)
        out[..., half:].addcmul_(states[..., :half], sin)
        return out

    return rotate_states(q), rotate_states(k)


def _replace(module: nn.Module, forward: Callable[..., torch.Tensor], example: torch.Tensor) -> bool:
    """Give `module` this forward if that changes nothing for `example`; return whether it did."""
    if example.dtype is not torch.float32 or not _same(module(example), forward(module, example)):
        return False
    module.forward = MethodType(forward, module)
    return True


def _same(expected: torch.Tensor, actual: torch.Tensor) -> bool:
    return expected.shape == actual.shape and torch.allclose(expected, actual, rtol=_TOLERANCE, atol=_TOLERANCE)


def _random(like: torch.Tensor, *shape: int) -> torch.Tensor:
    """Return numbers that depend on nothing but the shape; the global generator stays as it is."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(0)).to(like.device, like.dtype)
