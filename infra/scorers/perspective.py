"""The Perspective API (https://developers.perspectiveapi.com): how toxic a text is."""

from collections.abc import Callable, Sequence
from typing import Any

from data.outside import Item, Rating
from infra.scorers.cache import RatingCache
from infra.scorers.counter import Counts
from infra.scorers.endpoint import Endpoint, Service
from infra.scorers.judge import rating_folder
from infra.scorers.parallel import Parallel
from infra.scorers.stop import Stop
from infra.settings import Settings
from swarm.canonical import canonical_json
from swarm.errors import InputError

VERSION = 1
"""Raised by hand whenever the same text may get another rating."""

_THREADS = 4
_ATTRIBUTE, _LANGUAGE = "TOXICITY", "en"


class PerspectiveScorer:
    """Rates texts by the API's TOXICITY; earlier ratings come from the cache. The API is told to store no text."""

    def __init__(self, settings: Settings, stop: Stop) -> None:
        """Open nothing yet; raises `InputError` if the settings have no key."""
        self._counts = Counts()
        self._endpoint = Endpoint(perspective_service(settings), stop, self._counts)
        self._parallel = Parallel(_THREADS, stop)
        self._cache = RatingCache(rating_folder(settings.cache))

    @property
    def identity(self) -> str:
        """See `perspective_identity`."""
        return perspective_identity()

    def score(self, items: Sequence[Item], progress: Callable[[int, int], None]) -> list[Rating]:
        """Return the toxicity of each item's text, from 0 to 1; see `data.outside.Scorer`."""
        ratings = self._parallel.map(self._rate, items, progress)
        self._counts.add(ratings=len(ratings))
        return ratings

    def counts(self) -> dict[str, float]:
        """Return requests, retries, ratings, and those found in the cache."""
        return {**self._counts.read()}

    def close(self) -> None:
        """Close the connections."""
        self._parallel.close()
        self._endpoint.close()

    def _rate(self, item: Item) -> Rating:
        question = {"scorer": self.identity, "text": item.text}
        cached_answer = self._cache.get(question)
        if cached_answer is not None and _is_toxicity(cached_answer.get("value")):
            self._counts.add(cached=1)
            return Rating(float(cached_answer["value"]))
        body = {
            "comment": {"text": item.text},
            "languages": [_LANGUAGE],
            "requestedAttributes": {_ATTRIBUTE: {}},
            "doNotStore": True,
        }
        value = self._endpoint.post("/v1alpha1/comments:analyze", body, _read_toxicity)
        self._cache.put(question, {"value": value})
        return Rating(value)


def perspective_identity() -> str:
    """Return what the ratings depend on, as far as can be known: the service says nothing of its model's version."""
    return canonical_json({"scorer": "perspective", "version": VERSION, "attribute": _ATTRIBUTE, "language": _LANGUAGE})


def perspective_service(settings: Settings) -> Service:
    """Return the API; raises `InputError` if the settings have no key."""
    if settings.perspective_api_key is None:
        raise InputError(
            "the objective asks the Perspective API, but SWARM_PERSPECTIVE_API_KEY is not set: set it, or use "
            "scorer: {kind: classifier, …}"
        )
    return Service(
        name="the Perspective API",
        url=settings.perspective_url,
        variables=("SWARM_PERSPECTIVE_URL", "SWARM_PERSPECTIVE_API_KEY"),
        header="X-Goog-Api-Key",  # not in the address, which logs show
        scheme="",
        key=settings.perspective_api_key,
        timeout=30.0,
        per_second=settings.perspective_per_second,
    )


def _read_toxicity(answer: dict[str, Any]) -> float:
    value = answer["attributeScores"][_ATTRIBUTE]["summaryScore"]["value"]
    if not _is_toxicity(value):
        raise ValueError("no probability")
    return float(value)


def _is_toxicity(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
