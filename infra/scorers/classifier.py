"""A text classifier on this machine: it rates texts by the probability of one label."""

from collections.abc import Callable, Sequence

from data.outside import Classifier, Item, Rating
from infra.scorers.classification import Classification
from infra.scorers.model_folders import compute_identity, find_model, labels_of
from infra.settings import Settings
from swarm.canonical import canonical_json
from swarm.errors import InputError

VERSION = 1
"""Raised by hand whenever the same text may get another rating."""


class ClassifierScorer:
    """Rates texts by the probability of a label: softmax over labels that exclude each other, else a sigmoid each."""

    def __init__(self, config: Classifier, settings: Settings) -> None:
        """Load the model; raises `InputError` if it can't be loaded or has no such label."""
        self._identity = classifier_identity(config, settings)
        model = find_model(config.model, settings)
        self._labels = labels_of(model)
        self._label = self._labels.index(config.label)
        self._model = Classification(model, config.device, settings)
        self._rating_count = 0

    @property
    def identity(self) -> str:
        """See `classifier_identity`."""
        return self._identity

    def score(self, items: Sequence[Item], progress: Callable[[int, int], None]) -> list[Rating]:
        """Return the label's probability for each item's text, cut at its end if the model takes less of it."""
        longest = self._model.longest
        tokens = self._model.tokenizer([item.text for item in items], truncation=True, max_length=longest)
        logits = self._model.logits(tokens["input_ids"], progress)
        probabilities = logits.softmax(-1) if self._exclusive else logits.sigmoid()
        self._rating_count += len(items)
        return [Rating(float(row[self._label])) for row in probabilities.double()]

    def counts(self) -> dict[str, float]:
        """Return how many texts were rated."""
        return {"ratings": self._rating_count}

    def close(self) -> None:
        """Give back the memory."""
        self._model.close()

    @property
    def _exclusive(self) -> bool:
        return len(self._labels) > 1 and not self._model.multi_label


def classifier_identity(config: Classifier, settings: Settings) -> str:
    """Return what the ratings depend on: the model's files, the label, and what computes; no model is loaded.

    Raises:
        InputError: there is no such model or label.

    """
    model = find_model(config.model, settings)
    labels = labels_of(model)
    if config.label not in labels:
        raise InputError(f"label: model {config.model!r} has no {config.label!r}: choose from {', '.join(labels)}")
    return canonical_json(
        {
            "scorer": "classifier",
            "version": VERSION,
            "model": model.sha256,
            "description": model.description_sha256(),
            "label": config.label,
            **compute_identity(config.device),
        }
    )
