"""The floating-point operations that an evaluation needs, counted from the model's shapes and the tokens alone.

A row of L prompt tokens that gets g new tokens reads T = L + g − 1 tokens (the last one is read by nobody). Needed are,
with a multiplication and an addition counted as two operations:

- 2 · (weights of the layers' Linear modules) a token, and 2 · r · (in + out) a token and adapted module for LoRA;
- attention: 4 · (heads · head size) · layers a pair of a token and one it sees, itself included: T (T + 1) / 2 pairs;
- 2 · hidden · vocabulary a new token for the logits: of no other position.

Nothing else is counted: no padding, norms, rotations, softmax or sums. Tokens that a row did not get because it ended
early are not needed.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from experts.basis import Basis


@dataclass(frozen=True)
class Shapes:
    """What the operations of a Llama depend on.

    Attributes:
        linear: weights of the Linear modules of all layers.
        lora: weights of one particle's factors.
        attention: heads · head size · layers.
        head: hidden size · vocabulary.

    """

    linear: int
    lora: int
    attention: int
    head: int

    @classmethod
    def of(cls, folder: Path, basis: Basis) -> "Shapes":
        """Read them from the `config.json` of a Llama in `folder` and from the experts."""
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        hidden, layers, heads = (config[f"{k}"] for k in ("hidden_size", "num_hidden_layers", "num_attention_heads"))
        size = config.get("head_dim") or hidden // heads
        grouped = config["num_key_value_heads"]
        layer = 2 * hidden * size * (heads + grouped) + 3 * hidden * config["intermediate_size"]
        lora = sum(down[0].numel() + up[0].numel() for down, up in basis.modules.values())
        return cls(layer * layers, lora, heads * size * layers, hidden * config["vocab_size"])

    def needed(self, prompt: int, new: int, shared: int = 0) -> int:
        """Return the operations of one row, without the first `shared` tokens that another row has computed."""
        read = prompt + new - 1
        pairs = (read * (read + 1) - shared * (shared + 1)) // 2
        return 2 * (self.linear + self.lora) * (read - shared) + 4 * self.attention * pairs + 2 * self.head * new

    def population(self, prompts: Iterable[int], new: Iterable[Iterable[int]], shared: int = 0) -> int:
        """Return those of particles × rows: `prompts` [R] and `new` [P][R] tokens; `shared` once a particle."""
        lengths = list(prompts)
        once = self.needed(shared, 1) - 2 * self.head if shared else 0
        return sum(
            once + sum(self.needed(prompt, count, shared) for prompt, count in zip(lengths, counts, strict=True))
            for counts in new
        )


def shared_length(prompts: Sequence[Sequence[int]]) -> int:
    """Return how many tokens all prompts begin with alike; at least one of each prompt is its own."""
    shortest = min(map(len, prompts)) - 1
    return next((i for i in range(shortest) if len({prompt[i] for prompt in prompts}) > 1), shortest)
