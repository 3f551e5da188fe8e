"""Requests as vLLM takes them: token ids with sampling parameters, the tokens of each step in, a response out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from data.requests import Completion, LogLikelihoods, Response
from infra.engines.tokens import Choices, EncodedRequests, Prompt, Tokens

MOST_CHOICES = 128
"""vLLM reports at most so many chosen tokens' log-probabilities a request."""


class VllmRequest(Protocol):
    """One request to vLLM, and the output that it has received so far."""

    @property
    def tokens(self) -> Sequence[int]:
        """The prompt."""
        ...

    def parameters(self) -> Any:
        """Return vLLM's `SamplingParams`."""
        ...

    def receive(self, output: Any) -> bool:
        """Add vLLM's `RequestOutput` of one step; return whether the request needs no further one."""
        ...


class PendingRequest(Protocol):
    """A request of this project, answered by one request to vLLM or several."""

    @property
    def vllm_requests(self) -> Sequence[VllmRequest]:
        """The requests that vLLM has to finish before there is a response."""
        ...

    def response(self) -> Response:
        """Return the response."""
        ...


@dataclass
class Generation:
    """A prompt that is continued greedily; it is its own and only request to vLLM."""

    prompt: Prompt
    decoder: Tokens
    end_tokens: frozenset[int]
    generated: list[int] = field(default_factory=list)

    @property
    def vllm_requests(self) -> Sequence[VllmRequest]:
        """See `PendingRequest`."""
        return [self]

    @property
    def tokens(self) -> Sequence[int]:
        """See `VllmRequest`."""
        return self.prompt.tokens

    def parameters(self) -> Any:
        """See `VllmRequest`: vLLM itself ends a generation only at its length or an end token."""
        from vllm import SamplingParams
        from vllm.sampling_params import RequestOutputKind

        return SamplingParams(
            temperature=0,
            max_tokens=self.prompt.request.max_new_tokens,
            ignore_eos=True,
            stop_token_ids=sorted(self.end_tokens),
            detokenize=False,
            output_kind=RequestOutputKind.DELTA if self._may_end_early else RequestOutputKind.FINAL_ONLY,
        )

    def receive(self, output: Any) -> bool:
        """See `VllmRequest`."""
        for token in output.outputs[0].token_ids:
            self.generated.append(token)
            if self._may_end_early and self.decoder.is_decided(self.prompt.request, self.generated):
                return True
        return bool(output.finished)

    def response(self) -> Completion:
        """See `PendingRequest`."""
        return Completion(self.decoder.answer(self.prompt.request, self.generated), len(self.generated))

    @property
    def _may_end_early(self) -> bool:
        return bool(self.prompt.request.stop) or self.prompt.request.decided is not None


@dataclass
class Context:
    """Tokens that continuations of one length share except for the last; a request to vLLM that scores them all.

    Attributes:
        tokens: the prompt with all tokens of the continuations but the last.
        scored: how many of the last `tokens` are scored too.
        last: the last tokens.
        log_probabilities: the sum over `scored` tokens, and that of each of `last` by itself.

    """

    tokens: tuple[int, ...]
    scored: int
    last: list[int]
    log_probabilities: tuple[float, Mapping[int, float]] | None = None

    def takes(self, token: int) -> bool:
        """Score `token` as a last token too, unless there are too many; return whether it is scored."""
        if token not in self.last and len(self.last) < MOST_CHOICES:
            self.last.append(token)
        return token in self.last

    def parameters(self) -> Any:
        """See `VllmRequest`."""
        from vllm import SamplingParams
        from vllm.sampling_params import RequestOutputKind

        return SamplingParams(
            temperature=0,
            max_tokens=1,
            ignore_eos=True,
            detokenize=False,
            logprob_token_ids=self.last,
            prompt_logprobs=0 if self.scored else None,
            output_kind=RequestOutputKind.FINAL_ONLY,
        )

    def receive(self, output: Any) -> bool:
        """See `VllmRequest`."""
        if output.finished:
            positions = range(len(self.tokens) - self.scored, len(self.tokens))
            before = sum(output.prompt_logprobs[position][self.tokens[position]].logprob for position in positions)
            last = output.outputs[0].logprobs[0]
            self.log_probabilities = before, {token: last[token].logprob for token in self.last}
        return bool(output.finished)

    def value(self, token: int) -> float:
        """Return the log-likelihood of the continuation that ends with `token`."""
        if self.log_probabilities is None:
            raise RuntimeError("a context was not scored")
        before, last = self.log_probabilities
        return before + last[token]


class Scoring:
    """A prompt whose continuations are scored: each distinct context is read once."""

    def __init__(self, choices: Choices):
        """Nothing is computed here."""
        self._choices = choices
        self._contexts: list[Context] = []
        self._context_of = [
            self._context(suffix, scored) for suffix, scored in zip(choices.suffixes, choices.scored, strict=True)
        ]

    @property
    def vllm_requests(self) -> Sequence[VllmRequest]:
        """See `PendingRequest`."""
        return self._contexts

    def response(self) -> LogLikelihoods:
        """See `PendingRequest`."""
        return LogLikelihoods(tuple(context.value(token) for context, token in self._context_of), self._choices.scored)

    def _context(self, suffix: tuple[int, ...], scored: int) -> tuple[Context, int]:
        """Return the context that scores `suffix`, and the suffix's last token."""
        tokens = (*self._choices.prefix, *suffix[:-1])
        for context in self._contexts:
            if (context.tokens, context.scored) == (tokens, scored - 1) and context.takes(suffix[-1]):
                return context, suffix[-1]
        self._contexts.append(Context(tokens, scored - 1, [suffix[-1]]))
        return self._contexts[-1], suffix[-1]


def pending_requests(encoded: EncodedRequests, decoder: Tokens, end_tokens: frozenset[int]) -> Iterator[PendingRequest]:
    """Yield the requests of `encoded` in their order, none of them answered yet."""
    for index in range(encoded.count):
        prompt = encoded.prompts.get(index)
        yield Scoring(encoded.choices[index]) if prompt is None else Generation(prompt, decoder, end_tokens)
