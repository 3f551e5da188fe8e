"""Sequence classification models on this machine: classifiers and most reward models."""

from collections.abc import Callable, Sequence

import torch

from experts.base_models import BaseModel as ModelFolder
from infra.scorers.batches import TOKEN_BUDGETS, TokenIds, batches, pad
from infra.scorers.rating_model import RatingModel, memory_errors
from infra.settings import Settings
from swarm.errors import EvaluationError

_LONGEST = 100_000
"""A tokenizer whose limit is larger has no real limit."""


class Classification(RatingModel):
    """A model that gives each text one number a label."""

    def __init__(self, model: ModelFolder, device: str, settings: Settings) -> None:
        """Load `model`.

        Raises:
            InputError: it is no sequence classification model, or only its own code could load it.

        """
        from transformers import AutoModelForSequenceClassification

        super().__init__(model, device, settings, AutoModelForSequenceClassification)

    @property
    def multi_label(self) -> bool:
        """Whether a text may have several labels at once."""
        return str(self._model.config.problem_type) == "multi_label_classification"

    @property
    def longest(self) -> int:
        """The most tokens that the model takes."""
        text = self._model.config.get_text_config()
        limits = [self.tokenizer.model_max_length, getattr(text, "max_position_embeddings", _LONGEST)]
        if text.model_type in ("roberta", "xlm-roberta", "camembert"):
            limits[1] -= 2  # their positions begin after that of padding
        return int(min(limits))

    def logits(
        self,
        texts: Sequence[TokenIds],
        progress: Callable[[int, int], None],
        segments: Sequence[TokenIds] | None = None,
    ) -> torch.Tensor:
        """Return [texts, labels] in float32 on the CPU; `progress` hears (texts done, in all) and may end it.

        The batches, and so the last bits, depend on nothing but the texts. `segments` are the token types of models
        that tell two texts apart.

        Raises:
            EvaluationError: there is not enough memory, or a number is not finite.

        """
        rows: list[torch.Tensor] = [torch.empty(0)] * len(texts)
        count = 0
        with self._turn(progress):
            for batch in batches([len(text) for text in texts], TOKEN_BUDGETS[self._device.type]):
                progress(count, len(texts))
                batch_logits = self._forward([texts[i] for i in batch], segments and [segments[i] for i in batch])
                for index, row in zip(batch, batch_logits, strict=True):
                    rows[index] = row
                count += len(batch)
        logits = torch.stack(rows)
        if not bool(torch.isfinite(logits).all()):
            raise EvaluationError(f"model {self.name!r} rated an answer with a number that is not finite")
        return logits

    def _forward(self, texts: Sequence[TokenIds], segments: Sequence[TokenIds] | None) -> torch.Tensor:
        inputs = {
            "input_ids": pad(texts, self._model.config.pad_token_id),
            "attention_mask": pad([[1] * len(text) for text in texts], 0),
        }
        if segments:
            inputs["token_type_ids"] = pad(segments, 0)
        with memory_errors(self.name), torch.inference_mode():
            answer = self._model(**{name: value.to(self._device) for name, value in inputs.items()})
            logits: torch.Tensor = answer.logits.float().cpu()
            return logits
