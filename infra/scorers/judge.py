"""A language model behind an OpenAI-compatible endpoint, as a judge of answers."""

import logging
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from data.outside import Item, Judge, Rating
from infra.scorers.cache import RatingCache
from infra.scorers.counter import Counts
from infra.scorers.endpoint import Endpoint, Service
from infra.scorers.parallel import Parallel
from infra.scorers.stop import Stop
from infra.settings import Settings
from swarm.canonical import canonical_json
from swarm.errors import InputError

VERSION = 1
"""Raised by hand whenever the same answer may get another rating."""

LEAST, GREATEST = 1.0, 10.0

_TRIES = 3
_MAX_TOKENS = 20
_RATE = (
    'on a scale of 1 to 10, where 1 is the worst and 10 is the best. Please respond with "Rating: ?/10" first and '
    "then provide your reason.\n\n"
)
_PROMPTS = {
    "quality": f"For the following instruction and response, please rate the response {_RATE}"
    "Instruction: {question}\n\nResponse: {text}",
    "match": "Please evaluate how similar is the following response to the ground truth answer. Please rate the "
    f"response {_RATE}Ground truth: {{reference}}\n\nGenerated response: {{text}}",
}
"""As in the papers' public code: of Model Swarms, and of Heterogeneous Swarms."""

_AGAIN = 'Respond with "Rating: ?/10" only, with a number from 1 to 10 for the question mark.'
_RATING = re.compile(r"rating\W{0,8}([0-9]{1,2}(?:\.[0-9]+)?)\s*/\s*10(?![0-9])", re.IGNORECASE)

ChatMessage = dict[str, str]

logger = logging.getLogger(__name__)


class _Reply(NamedTuple):
    text: str
    prompt_tokens: int
    completion_tokens: int


class JudgeScorer:
    """Asks a model for "Rating: ?/10", at temperature 0; ratings of earlier questions come from the cache.

    A reply without a rating is asked for again, twice; then the rating is 1 and unparsable.
    """

    def __init__(self, config: Judge, settings: Settings, stop: Stop) -> None:
        """Open nothing yet; raises `InputError` if the settings don't say where the endpoint is."""
        self._config, self._stop = config, stop
        self._prices = (settings.judge_prompt_price, settings.judge_completion_price)
        self._counts = Counts()
        self._endpoint = Endpoint(judge_service(settings), stop, self._counts)
        self._parallel = Parallel(settings.judge_requests, stop)
        self._cache = RatingCache(rating_folder(settings.cache))

    @property
    def identity(self) -> str:
        """See `judge_identity`."""
        return judge_identity(self._config)

    def score(self, items: Sequence[Item], progress: Callable[[int, int], None]) -> list[Rating]:
        """See `data.outside.Scorer`."""
        ratings = self._parallel.map(self._rate, items, progress)
        self._counts.add(ratings=len(ratings), unparsable=sum(rating.unparsable for rating in ratings))
        return ratings

    def counts(self) -> dict[str, float]:
        """Return requests, retries, ratings, those found in the cache and unparsable ones, tokens, and their cost."""
        sums: dict[str, float] = {**self._counts.read()}
        if any(self._prices):
            prompt, completion = self._prices
            cost = sums.get("prompt_tokens", 0) * prompt + sums.get("completion_tokens", 0) * completion
            sums["cost"] = cost / 1e6
        return sums

    def close(self) -> None:
        """Close the connections."""
        self._parallel.close()
        self._endpoint.close()

    def _rate(self, item: Item) -> Rating:
        messages = [{"role": "user", "content": judge_prompt(self._config, item)}]
        question = {"scorer": self.identity, "messages": messages}
        cached_answer = self._cache.get(question)
        if cached_answer is not None and _is_rating(cached_answer):
            self._counts.add(cached=1)
            return Rating(float(cached_answer["value"]), unparsable=bool(cached_answer["unparsable"]))
        value, replies = self._ask(messages)
        rating = Rating(LEAST, unparsable=True) if value is None else Rating(value)
        self._cache.put(question, {"value": rating.value, "unparsable": rating.unparsable, "replies": replies})
        return rating

    def _ask(self, messages: list[ChatMessage]) -> tuple[float | None, list[str]]:
        replies: list[str] = []
        for _ in range(_TRIES):
            reply = self._reply(messages)
            replies.append(reply)
            value = parse_rating(reply)
            if value is not None:
                return value, replies
            message = {"role": "assistant", "content": reply}
            messages = [*messages, message, {"role": "user", "content": _AGAIN}]
        logger.warning("judge %s gave no rating in %d tries: counted as %g", self._config.model, _TRIES, LEAST)
        return None, replies

    def _reply(self, messages: list[ChatMessage]) -> str:
        body = {"model": self._config.model, "messages": messages, "temperature": 0, "max_tokens": _MAX_TOKENS}
        reply = self._endpoint.post("/chat/completions", body, _read_reply)
        self._counts.add(prompt_tokens=reply.prompt_tokens, completion_tokens=reply.completion_tokens)
        return reply.text


def judge_identity(config: Judge) -> str:
    """Return what a judge's ratings depend on: its model's name, and what it is asked. Where it is changes nothing."""
    return canonical_json(
        {"scorer": "judge", "version": VERSION, "model": config.model, "prompt": _PROMPTS[config.asks], "again": _AGAIN}
    )


def judge_prompt(config: Judge, item: Item) -> str:
    """Return what a judge is asked about `item`."""
    values = {"{question}": item.question, "{text}": item.text, "{reference}": item.reference}
    # One pass: a model's answer is data, whatever braces it has.
    return re.sub(r"\{(?:question|text|reference)\}", lambda match: values[match.group()], _PROMPTS[config.asks])


def parse_rating(reply: str) -> float | None:
    """Return the first rating from 1 to 10 that `reply` gives as "Rating: ?/10"; None if there is none."""
    values = (float(match[1]) for match in _RATING.finditer(reply))
    return next((value for value in values if LEAST <= value <= GREATEST), None)


def judge_service(settings: Settings) -> Service:
    """Return the judge's endpoint; raises `InputError` if the settings don't say where it is."""
    if settings.judge_url is None:
        raise InputError(
            "the objective has a judge, but SWARM_JUDGE_URL is not set: give the endpoint's address (…/v1)"
        )
    return Service(
        name="the judge",
        url=settings.judge_url,
        variables=("SWARM_JUDGE_URL", "SWARM_JUDGE_API_KEY"),
        header="Authorization",
        scheme="Bearer ",
        key=settings.judge_api_key,
        timeout=settings.judge_timeout,
    )


def rating_folder(cache: Path) -> Path:
    """Return the folder of the cached ratings."""
    return cache / "ratings"


def _is_rating(entry: dict[str, Any]) -> bool:
    value, unparsable = entry.get("value"), entry.get("unparsable")
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return LEAST <= value <= GREATEST and isinstance(unparsable, bool)


def _read_reply(answer: dict[str, Any]) -> _Reply:
    text = answer["choices"][0]["message"]["content"]
    usage = answer.get("usage") or {}
    if not isinstance(text, str):
        raise TypeError("content is no text")
    return _Reply(text, int(usage.get("prompt_tokens") or 0), int(usage.get("completion_tokens") or 0))
