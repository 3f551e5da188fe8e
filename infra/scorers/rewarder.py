"""A reward model on this machine: it rates an answer to a question."""

from collections.abc import Callable, Sequence

from data.outside import Item, Rating, Rewarder
from infra.scorers.batches import TokenIds
from infra.scorers.classification import Classification
from infra.scorers.get_scores import ScoringModel, as_conversation, scoring_class
from infra.scorers.model_folders import compute_identity, find_model, labels_of
from infra.settings import Settings
from swarm.canonical import canonical_json
from swarm.errors import InputError

VERSION = 1
"""Raised by hand whenever the same answer may get another rating."""


class RewardScorer:
    """Rates answers by a model with one output, or by one with `get_scores`.

    The question is the user's message and the answer the assistant's, in the model's chat template; a model without one
    reads them as a pair of texts. Where both are longer than the model takes, the beginning of the question is cut.
    `get_scores` is given the two messages, and does what it does with them.
    """

    def __init__(self, config: Rewarder, settings: Settings) -> None:
        """Load the model; raises `InputError` if it can't be loaded or has more than one output."""
        self._identity = reward_identity(config, settings)
        model = find_model(config.model, settings)
        self._model: Classification | ScoringModel = (
            Classification(model, config.device, settings)
            if config.model_class is None
            else ScoringModel(model, config, settings)
        )
        self._rating_count = 0

    @property
    def identity(self) -> str:
        """See `reward_identity`."""
        return self._identity

    def score(self, items: Sequence[Item], progress: Callable[[int, int], None]) -> list[Rating]:
        """Return the reward of each item, and the length of its text in the model's tokens."""
        if isinstance(self._model, ScoringModel):
            rewards = self._model.rewards(items, progress)
        else:
            rewards = self._outputs(self._model, items, progress)
        self._rating_count += len(items)
        return [Rating(reward, self._length(item)) for reward, item in zip(rewards, items, strict=True)]

    def counts(self) -> dict[str, float]:
        """Return how many answers were rated."""
        return {"ratings": self._rating_count}

    def close(self) -> None:
        """Give back the memory."""
        self._model.close()

    def _outputs(
        self, model: Classification, items: Sequence[Item], progress: Callable[[int, int], None]
    ) -> list[float]:
        encodings = [_encode(model, item) for item in items]
        segments = [segment for _, segment in encodings]
        logits = model.logits([ids for ids, _ in encodings], progress, segments if all(segments) else None)
        rewards: list[float] = logits[:, 0].double().tolist()
        return rewards

    def _length(self, item: Item) -> int:
        return len(self._model.tokenizer(item.text, add_special_tokens=False)["input_ids"])


def _encode(model: Classification, item: Item) -> tuple[TokenIds, TokenIds]:
    """Return tokens and token types (empty if the model has none)."""
    tokenizer, longest = model.tokenizer, model.longest
    if tokenizer.chat_template is not None:
        text = tokenizer.apply_chat_template(as_conversation(item), tokenize=False)
        return tokenizer(text, add_special_tokens=False)["input_ids"][-longest:], []
    pair = tokenizer(item.question, item.text)
    ids, segments = pair["input_ids"], pair.get("token_type_ids", [])
    return ids[-longest:], segments[-longest:]


def reward_identity(config: Rewarder, settings: Settings) -> str:
    """Return what the ratings depend on: the model's files, and what computes; no model is loaded.

    Raises:
        InputError: there is no such model, it has more than one output, or its class can't be had.

    """
    model = find_model(config.model, settings)
    identity = {
        "scorer": "rewarder",
        "version": VERSION,
        "model": model.sha256,
        "description": model.description_sha256(),
        **compute_identity(config.device),
    }
    if config.model_class is not None:
        source = scoring_class(config).sha256
        return canonical_json({**identity, "class": config.model_class.partition(":")[2], "source": source})
    labels = labels_of(model)
    if len(labels) != 1:
        raise InputError(f"model {config.model!r} has {len(labels)} outputs: name a reward model, which has one")
    return canonical_json(identity)
