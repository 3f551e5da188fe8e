"""Reward models that score conversations by a method of their own, `get_scores`, as InternLM2-reward does.

Their class is one that the user names: in a module of the user's own, or in an installed package. What lies beside the
weights is never run.
"""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from data.outside import Item, Rewarder
from data.user_code import UserObject, describe_error, load
from experts.base_models import BaseModel as ModelFolder
from infra.scorers.batches import TOKEN_BUDGETS, batches
from infra.scorers.rating_model import RatingModel, memory_errors
from infra.settings import Settings
from swarm.errors import EvaluationError, InputError

Conversation = list[dict[str, str]]


class ScoringModel(RatingModel):
    """A model with `get_scores(tokenizer, conversations)`, which returns one number a conversation."""

    def __init__(self, model: ModelFolder, config: Rewarder, settings: Settings) -> None:
        """Load `model`; raises `InputError` if the class that `config` names can't be had, or can't load it."""
        super().__init__(model, config.device, settings, scoring_class(config).value)

    def rewards(self, items: Sequence[Item], progress: Callable[[int, int], None]) -> list[float]:
        """Return the reward of each item; `progress` hears (items done, in all) and may end it.

        The batches depend on nothing but the items.

        Raises:
            EvaluationError: there is not enough memory, or `get_scores` raised something or returned something else
                than a finite number each.

        """
        sizes = [self._size(item) for item in items]
        rewards = [math.nan] * len(items)
        count = 0
        with self._turn(progress):
            for batch in batches(sizes, TOKEN_BUDGETS[self._device.type]):
                progress(count, len(items))
                for index, reward in zip(batch, self._scores([as_conversation(items[i]) for i in batch]), strict=True):
                    rewards[index] = reward
                count += len(batch)
        return rewards

    def _size(self, item: Item) -> int:
        return len(self.tokenizer(item.question + item.text, add_special_tokens=False)["input_ids"])

    def _scores(self, conversations: list[Conversation]) -> list[float]:
        with memory_errors(self.name), torch.inference_mode():
            try:
                scores = [float(score) for score in self._model.get_scores(self.tokenizer, conversations)]
            except torch.cuda.OutOfMemoryError:
                raise
            except Exception as error:  # a class of the user's: it raises what it likes
                raise EvaluationError(f"get_scores of model {self.name!r} raised {describe_error(error)}") from error
        if len(scores) != len(conversations) or not all(map(math.isfinite, scores)):
            raise EvaluationError(
                f"get_scores of model {self.name!r} gave {scores} for {len(conversations)} conversations: it must be a "
                "finite number each"
            )
        return scores


def scoring_class(config: Rewarder) -> UserObject:
    """Return the class that `config` names; raises `InputError` if there is none, or it is no such model's."""
    from transformers import PreTrainedModel

    assert config.model_class is not None
    try:
        user_object = load(config.model_class, Path(config.folder))
    except InputError as error:
        raise InputError(f"model_class {config.model_class!r}: {error}") from error
    kind: Any = user_object.value
    if not (
        isinstance(kind, type) and issubclass(kind, PreTrainedModel) and callable(getattr(kind, "get_scores", None))
    ):
        raise InputError(
            f"model_class {config.model_class!r} is no transformers.PreTrainedModel with get_scores(tokenizer, "
            "conversations): name one that is"
        )
    return user_object


def as_conversation(item: Item) -> Conversation:
    """Return an item as a conversation."""
    return [{"role": "user", "content": item.question}, {"role": "assistant", "content": item.text}]
