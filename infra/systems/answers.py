"""The answers of nodes: what names them, and how they are kept."""

from collections.abc import Mapping
from typing import Any

from data.requests import Completion, LogLikelihoods, Request, Response, request_key
from swarm.recipes import Recipe

Call = tuple[str, str]
"""One request to one model: the content hashes of the recipe and of the request."""

Memory = Mapping[Call, Response]


def call_of(recipe: Recipe, request: Request) -> Call:
    """Return the call that asks `recipe` for `request`."""
    return recipe.key, request_key(request)


def response_json(response: Response) -> list[Any]:
    """Return `response` as plain JSON: [text, tokens], or [values, lengths]."""
    if isinstance(response, Completion):
        return [response.text, response.tokens]
    if not isinstance(response, LogLikelihoods):
        raise TypeError(f"no engine answers with {type(response).__name__}")
    return [list(response.values), list(response.lengths)]


def response_from_json(value: list[Any]) -> Response:
    """Read what `response_json` wrote."""
    first, second = value
    return Completion(first, second) if isinstance(first, str) else LogLikelihoods(tuple(first), tuple(second))
