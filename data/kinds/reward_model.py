"""Reward models: answers that a reward model likes, with or against length (Model Swarms §3; docs/algorithms.md §5)."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from data.kinds.base import MOST_NEW_TOKENS, Bounds
from data.kinds.rated import RatedTask
from data.outside import ModelName, Rating, Rewarder, RewardScale, ScorerConfig
from data.user_code import is_name


class RewardModel(RatedTask):
    """A prompt whose answer a reward model scores.

    With the reward r and the answer's length l in the reward model's tokens, both on the scale on which the least dev
    answer of the initial experts is 0 and the greatest is 1 (a better one is above 1):

    - `default`: r
    - `concise`: (r + 1 − l) / 2
    - `verbose`: (r + l) / 2
    - `reverse`: 1 − r
    """

    version = 1
    needs_scale: ClassVar[bool] = True

    kind: Literal["reward_model"] = Field(title="Kind", description="Answers that a reward model scores.")
    model: ModelName = Field(
        title="Reward model",
        description="A sequence classification model with one output: a folder or a hub id (owner/name), in "
        "safetensors. Code that comes with a model is never run.",
    )
    model_class: str | None = Field(
        None,
        title="Model class",
        description="module:Class, a class of your own or of an installed package, for a model that has get_scores: "
        "a transformers.PreTrainedModel. Empty for models that transformers knows.",
    )
    folder: Path | None = Field(
        None,
        title="Folder",
        description="Where the class's module is looked for first, then where Python looks; the config file's folder "
        "if empty.",
    )
    form: Literal["default", "concise", "verbose", "reverse"] = Field(
        "default",
        title="Form",
        description="default: the reward. concise: its mean with shortness. verbose: its mean with length. "
        "reverse: against the reward.",
    )
    max_new_tokens: int = Field(
        200, title="New tokens", ge=1, le=MOST_NEW_TOKENS, description="An answer is cut after so many tokens."
    )
    device: str = Field(
        "auto",
        title="Device",
        pattern=r"^(auto|cpu|cuda(:\d+)?)$",
        description="Where the reward model runs: auto (a GPU if there is one), cpu, cuda or cuda:N.",
    )

    @field_validator("model_class")
    @classmethod
    def _is_a_name(cls, value: str | None) -> str | None:
        if value is not None and not is_name(value):
            raise ValueError(
                f"{value!r} is not module:Class: write for instance rewards:Helpful for a class of rewards.py"
            )
        return value

    @model_validator(mode="before")
    @classmethod
    def _beside_the_config(cls, value: Any, info: ValidationInfo) -> Any:
        """Look for a class of the user's beside the configuration file."""
        if not isinstance(value, dict) or value.get("model_class") is None:
            return value
        folder = (info.context or {}).get("folder", "")
        return {**value, "folder": Path(folder) / Path(value.get("folder") or "").expanduser()}

    @property
    def outside(self) -> ScorerConfig:
        """The reward model."""
        if self.model_class is None:
            return Rewarder(model=self.model, device=self.device)
        folder = str(self.folder or "")
        return Rewarder(model=self.model, device=self.device, model_class=self.model_class, folder=folder)

    @property
    def bounds(self) -> Bounds:
        """No bounds: answers may be better or worse than those that set the scale."""
        return None, None

    def score(self, rating: Rating, scale: RewardScale | None) -> float:
        """Return what `form` says; the bare reward while the scale is being measured."""
        if scale is None:
            return rating.value
        reward, length = _on(scale.value, rating.value), _on(scale.tokens, rating.tokens)
        match self.form:
            case "default":
                return reward
            case "concise":
                return (reward + 1.0 - length) / 2
            case "verbose":
                return (reward + length) / 2
            case "reverse":
                return 1.0 - reward

    def settings(self, dataset: str) -> dict[str, Any]:
        """Return the kind and the form."""
        return {"kind": self.kind, "form": self.form}


def scale_of(predictions: Iterable[str]) -> RewardScale:
    """Return the scale that predictions of this kind set (at least one)."""
    ratings = [json.loads(prediction) for prediction in predictions]
    values, tokens = [rating["value"] for rating in ratings], [float(rating.get("tokens", 0)) for rating in ratings]
    return RewardScale((min(values), max(values)), (min(tokens), max(tokens)))


def _on(ends: tuple[float, float], value: float) -> float:
    low, high = ends
    return (value - low) / ((high - low) or 1.0)  # where all are alike, the scorer's own units
