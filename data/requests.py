"""The requests of an objective to an engine, and the responses: the contract between scoring and generating."""

from dataclasses import asdict, dataclass
from typing import Any

from swarm.canonical import content_hash


@dataclass(frozen=True)
class Generate:
    """Continue `prompt` greedily.

    Attributes:
        prompt: the exact text sent (special tokens of a chat template included).
        max_new_tokens: at most so many tokens are generated; the end-of-sequence token ends a continuation earlier.
        stop: generation ends as soon as the completion contains one of these strings; the completion is cut
            before the first of them.
        decided: a regular expression; once the completion matches it, further tokens can't change the prediction, so
            generation may end.

    """

    prompt: str
    max_new_tokens: int
    stop: tuple[str, ...] = ()
    decided: str | None = None


@dataclass(frozen=True)
class LogLikelihood:
    """Score each of `continuations` after `prompt`: the sum of its tokens' log-probabilities (natural logarithm).

    Spaces at the prompt's end become the beginning of every continuation, as in lm-eval: a space belongs to the token
    of the word after it, which would else be taken for a part of the prompt, and not be scored. Line breaks stay: they
    are tokens of their own.
    """

    prompt: str
    continuations: tuple[str, ...]

    def __post_init__(self) -> None:
        """Move the spaces."""
        count = _count_last_spaces(self.prompt)
        if count:
            spaces = self.prompt[-count:]
            object.__setattr__(self, "continuations", tuple(spaces + text for text in self.continuations))
            object.__setattr__(self, "prompt", self.prompt[:-count])


def _count_last_spaces(prompt: str) -> int:
    """Return how many spaces (or tabs, no line breaks) end `prompt`; 0 if nothing else would be left of it."""
    if not prompt.strip():
        return 0
    spaces = prompt[len(prompt.rstrip()) :]
    last_line = (spaces + "x").splitlines()[-1]
    return len(last_line) - 1


@dataclass(frozen=True)
class Completion:
    """The answer to `Generate`: the text without special tokens, and how many tokens were generated."""

    text: str
    tokens: int


@dataclass(frozen=True)
class LogLikelihoods:
    """The answer to `LogLikelihood`: one value a continuation, and one token count (length) a continuation."""

    values: tuple[float, ...]
    lengths: tuple[int, ...]


Request = Generate | LogLikelihood


def request_json(request: Request) -> list[Any]:
    """Return `request` as plain JSON: what it is, and all that is sent."""
    fields = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(request).items()}
    return [type(request).__name__, fields]


def request_from_json(value: list[Any]) -> Request:
    """Read what `request_json` wrote."""
    kind, fields = value
    if kind == "Generate":
        return Generate(**{**fields, "stop": tuple(fields["stop"])})
    if kind == "LogLikelihood":
        return LogLikelihood(fields["prompt"], tuple(fields["continuations"]))
    raise ValueError(f"{kind!r} is no kind of request")


def request_key(request: Request) -> str:
    """Return the content hash of `request_json(request)`."""
    return content_hash(request_json(request))


@dataclass(frozen=True)
class FollowUpResponse:
    """The answers to a request and to a second request that depends on the first answer; engines don't make it.

    Attributes:
        first: the answer to the request.
        then: the follow-up, exactly as it was sent.
        second: the answer to it.

    """

    first: Completion | LogLikelihoods
    then: Request
    second: Completion | LogLikelihoods

    @property
    def tokens(self) -> int:
        """How many tokens were generated for both."""
        return sum(getattr(answer, "tokens", 0) for answer in (self.first, self.second))


Response = Completion | LogLikelihoods | FollowUpResponse
