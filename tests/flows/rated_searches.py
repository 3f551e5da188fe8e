"""Searches of the tiny model that are rated from outside, by services on loopback and by tiny models."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.rating_server import RatingService
from tests.tiny_raters import make_rater, make_scoring_model
from tests.tiny_search import CONFIG, make_search

SIZES = {"dev": 3, "test": 3, "max_new_tokens": 12}
JUDGED = {"kind": "judge", "data": "data.json", "name": "judged", "model": "judge-1", **SIZES}
MATCHED = {"kind": "judged_match", "data": "data.json", "name": "matched", "model": "judge-1", **SIZES}
TOXIC = {"kind": "toxicity", "data": "data.json", "name": "toxic", "scorer": {"kind": "perspective"}, **SIZES}
CLASSIFIED = {
    "kind": "toxicity",
    "data": "data.json",
    "name": "classified",
    "scorer": {"kind": "classifier", "model": "classifier", "label": "toxic"},
    **SIZES,
}
REWARDED = {"kind": "reward_model", "data": "data.json", "name": "rewarded", "model": "reward", **SIZES}
SCORED = {**REWARDED, "name": "scored", "model": "scored", "model_class": "rewards:Helpful", "form": "verbose"}


def write_rated_search(folder: Path, *tasks: dict[str, Any]) -> Path:
    """Write a search for an objective of these tasks into `folder`; return its configuration file."""
    config = make_search(folder)
    make_rater(folder / "reward")
    make_scoring_model(folder / "scored", folder / "rewards.py", seed=2)
    make_rater(folder / "classifier", labels=("fine", "toxic"), seed=1)
    config.write_text(yaml.safe_dump({**CONFIG, "objective": {"tasks": list(tasks)}}))
    return config


def use(service: RatingService, cache: Path, patch: pytest.MonkeyPatch) -> None:
    """Let settings name the service, and a cache of ratings of its own."""
    patch.setenv("SWARM_CACHE", str(cache))
    patch.setenv("SWARM_JUDGE_URL", f"{service.url}/v1")
    patch.setenv("SWARM_PERSPECTIVE_URL", service.url)
    patch.setenv("SWARM_PERSPECTIVE_API_KEY", "key-of-the-test")
    patch.setenv("SWARM_PERSPECTIVE_PER_SECOND", "1000")
