"""Ratings from outside: what an objective needs of models and services that are not its engine.

This file has the data types only; `infra/scorers` opens and calls the scorers.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, Protocol

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo

_NAME = re.compile(r"[\w.:@/+-]+")


@dataclass(frozen=True)
class Item:
    """One answer that is to be rated: the question, the answer, and the right answer ("" if there is none)."""

    question: str
    text: str
    reference: str


@dataclass(frozen=True)
class Rating:
    """The rating of one item by a scorer.

    Attributes:
        value: finite; what it means is the scorer's business.
        tokens: the length of the item's text by the scorer's own tokenizer; 0 if it has none.
        unparsable: the scorer's answer could not be read, so `value` is the least there is.

    """

    value: float
    tokens: int = 0
    unparsable: bool = False


@dataclass(frozen=True)
class RewardScale:
    """The least and greatest reward, and length in tokens, of all dev answers of a search's initial experts."""

    value: tuple[float, float]
    tokens: tuple[float, float]


def _beside_config(value: object, info: ValidationInfo) -> object:
    """Read a model's name as a folder beside the configuration file, if there is one."""
    folder = (info.context or {}).get("folder")
    beside = Path(folder) / str(value) if folder is not None else None
    return str(beside) if beside is not None and beside.is_dir() else value


def _no_url(value: str) -> str:
    if "://" in value:
        raise ValueError(f"{value!r} is an address: give a folder or an id; SWARM_… variables say where services are")
    return value


def _check_served_name(value: str) -> str:
    if not _NAME.fullmatch(_no_url(value)):
        raise ValueError(f"{value!r} is no name of a model: write it as the endpoint lists it")
    return value


ModelName = Annotated[str, BeforeValidator(_beside_config), AfterValidator(_no_url)]
"""A model that this machine runs: a folder, or a hub id (owner/name)."""

ServedName = Annotated[str, AfterValidator(_check_served_name)]
"""A model that an endpoint serves."""

_DEVICE = Field(
    "auto", title="Device", pattern=r"^(auto|cpu|cuda(:\d+)?)$", description="auto (a GPU if there is one), cpu, cuda."
)


class Perspective(BaseModel):
    """The Perspective API; its key is read from SWARM_PERSPECTIVE_API_KEY."""

    model_config = ConfigDict(extra="forbid", frozen=True, title="Perspective API")

    kind: Literal["perspective"] = Field(title="Scorer", description="Google's Perspective API.")


class Classifier(BaseModel):
    """A sequence classification model whose probability of one label is the rating."""

    model_config = ConfigDict(extra="forbid", frozen=True, title="Classifier")

    kind: Literal["classifier"] = Field(title="Scorer", description="A text classification model on this machine.")
    model: ModelName = Field(title="Model", description="A folder or a hub id (owner/name), in safetensors.")
    label: str = Field(title="Label", min_length=1, description="The label that means toxic, as the model names it.")
    device: str = _DEVICE


class Rewarder(BaseModel):
    """A reward model: a sequence classification model with one output, or one of `model_class`, with `get_scores`.

    `folder` is where the class's module is looked for first.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["rewarder"] = "rewarder"
    model: ModelName
    device: str = "auto"
    model_class: str | None = None
    folder: str = ""


class Judge(BaseModel):
    """A model behind an OpenAI-compatible endpoint, asked how good an answer is, or how like the right one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["judge"] = "judge"
    model: ServedName
    asks: Literal["quality", "match"]


ScorerConfig = Perspective | Classifier | Rewarder | Judge
"""The scorers that can rate an answer. Equal configurations share one open scorer."""

Identify = Callable[[ScorerConfig], str]
"""Returns everything that a scorer's ratings depend on, as canonical JSON, without loading a model."""


class RatingRequest(NamedTuple):
    """An item, and the configuration of the scorer that rates it."""

    by: ScorerConfig
    item: Item


class Scorer(Protocol):
    """Rates answers. The ratings are a function of the items and of `identity` alone; a failure is never a rating."""

    @property
    def identity(self) -> str:
        """What the ratings depend on, as canonical JSON: part of every evaluation's key."""
        ...

    def score(self, items: Sequence[Item], progress: Callable[[int, int], None]) -> list[Rating]:
        """Return one rating an item; `progress` is called with (items done, items in all) and may raise.

        Raises:
            EvaluationError: a rating could not be had.
            InputError: what is asked for can't be had at all (a key is refused, a model is unknown).

        """
        ...

    def counts(self) -> Mapping[str, float]:
        """Return the counts of the work so far: requests, tokens, ratings from the cache and the like."""
        ...

    def close(self) -> None:
        """Release memory and connections; a closed scorer is never used again."""
        ...
