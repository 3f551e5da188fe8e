"""A reward model on this machine: what it thinks of an answer to a question."""

from collections.abc import Callable, Sequence

from data.outside import Item, Rating, Rewarder
from infra.scorers.batches import Tokens
from infra.scorers.classification import Classification
from infra.scorers.models import computing, find_model, labels_of
from infra.settings import Settings
from swarm.canonical import canonical_json
from swarm.errors import InputError

VERSION = 1
"""Raised by hand whenever the same answer may get another rating."""


class RewardScorer:
    """Rates answers by a model with one output.

    The question is the user's message and the answer the assistant's, in the model's chat template; a model without one
    reads them as a pair of texts. Where both are longer than the model takes, the beginning of the question is cut.
    """

    def __init__(self, config: Rewarder, settings: Settings) -> None:
        """Load the model; raises `InputError` if it can't be loaded or has more than one output."""
        self._identity = reward_identity(config, settings)
        self._model = Classification(find_model(config.model, settings), config.device, settings)
        self._rated = 0

    @property
    def identity(self) -> str:
        """See `reward_identity`."""
        return self._identity

    def score(self, items: Sequence[Item], progress: Callable[[int, int], None]) -> list[Rating]:
        """Return the reward of each item, and the length of its text in the model's tokens."""
        encoded = [self._encoded(item) for item in items]
        segments = [segment for _, segment in encoded]
        found = self._model.logits([ids for ids, _ in encoded], progress, segments if all(segments) else None)
        self._rated += len(items)
        rewards = found[:, 0].double().tolist()
        return [Rating(reward, self._length(item)) for reward, item in zip(rewards, items, strict=True)]

    def counts(self) -> dict[str, float]:
        """Return how many answers were rated."""
        return {"ratings": self._rated}

    def close(self) -> None:
        """Give back the memory."""
        self._model.close()

    def _encoded(self, item: Item) -> tuple[Tokens, Tokens]:
        """Return tokens and token types (empty if the model has none)."""
        tokenizer, longest = self._model.tokenizer, self._model.longest
        if tokenizer.chat_template is not None:
            said = [{"role": "user", "content": item.question}, {"role": "assistant", "content": item.text}]
            text = tokenizer.apply_chat_template(said, tokenize=False)
            return tokenizer(text, add_special_tokens=False)["input_ids"][-longest:], []
        pair = tokenizer(item.question, item.text)
        ids, segments = pair["input_ids"], pair.get("token_type_ids", [])
        return ids[-longest:], segments[-longest:]

    def _length(self, item: Item) -> int:
        return len(self._model.tokenizer(item.text, add_special_tokens=False)["input_ids"])


def reward_identity(config: Rewarder, settings: Settings) -> str:
    """Return what the ratings depend on: the model's files, and what computes; no model is loaded.

    Raises:
        InputError: there is no such model, or it has more than one output.

    """
    model = find_model(config.model, settings)
    labels = labels_of(model)
    if len(labels) != 1:
        raise InputError(f"model {config.model!r} has {len(labels)} outputs: name a reward model, which has one")
    return canonical_json(
        {
            "scorer": "rewarder",
            "version": VERSION,
            "model": model.sha256,
            "description": model.description_sha256(),
            **computing(config.device),
        }
    )
