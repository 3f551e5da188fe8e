"""From requests to tokens and back, with the base model's own tokenizer; all engines do it here."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from data.requests import Generate, LogLikelihood, Request
from infra.engines.tokenizer import appended_tokens
from swarm.errors import InputError

_REPLACEMENT = "\ufffd"


@dataclass(frozen=True)
class Prompt:
    """A `Generate` request in tokens."""

    tokens: tuple[int, ...]
    request: Generate

    @property
    def size(self) -> int:
        """The most tokens that it may become with its answer."""
        return len(self.tokens) + self.request.max_new_tokens


@dataclass(frozen=True)
class Choices:
    """A `LogLikelihood` request in tokens: what all its continuations begin with is computed once.

    Attributes:
        prefix: tokens that all continuations share; not empty, none of them scored.
        suffixes: the tokens of each continuation after the prefix; not empty.
        scored: how many of each suffix's last tokens are scored (not empty; where the prompt's last tokens merge with a
            continuation's first, fewer than all).

    """

    prefix: tuple[int, ...]
    suffixes: tuple[tuple[int, ...], ...]
    scored: tuple[int, ...]

    @property
    def tokens(self) -> tuple[int, ...]:
        """What is read before any continuation."""
        return self.prefix

    @property
    def size(self) -> int:
        """The most tokens that it may become with a continuation."""
        return len(self.prefix) + max(map(len, self.suffixes))


class Tokens:
    """Encodes prompts as `tokenizer(prompt)` does, but never begins one twice.

    A prompt that begins with the tokenizer's beginning-of-sequence text (a rendered chat template does) gets no other
    special tokens added. What the tokenizer puts after a text is left out: neither prompts nor continuations end there.
    """

    def __init__(self, tokenizer: Any, longest: int | None):
        """`longest` is the most tokens a prompt and its continuation may have together (None: no limit)."""
        self._tokenizer = tokenizer
        self._longest = longest
        self._appended: int | None = None

    def prompts(self, requests: Sequence[Generate]) -> list[Prompt]:
        """Encode each distinct prompt once.

        Raises:
            InputError: a prompt has no tokens, or is too long for the base model.

        """
        encoded = self._encode([request.prompt for request in requests])
        for request in requests:
            self._check(request.prompt, encoded[request.prompt], request.max_new_tokens)
        return [Prompt(encoded[request.prompt], request) for request in requests]

    def choices(self, requests: Sequence[LogLikelihood]) -> list[Choices]:
        """Encode each prompt with each of its continuations; as in lm-eval, the tokens beyond the prompt's are scored.

        Raises:
            InputError: a prompt or a continuation has no tokens of its own, or is too long for the base model, or the
                tokens of two continuations are the same.

        """
        texts = [request.prompt for request in requests]
        encoded = self._encode([*texts, *(r.prompt + c for r in requests for c in r.continuations)])
        return [self._choices(request, encoded) for request in requests]

    def text(self, tokens: Sequence[int]) -> str:
        """Return the text of generated `tokens`, without special tokens."""
        text: str = self._tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return text

    def is_decided(self, request: Generate, tokens: Sequence[int]) -> bool:
        """Tell whether an answer of `tokens` needs no more of them: it holds a stop string, or matches `decided`."""
        if not request.stop and request.decided is None:
            return False
        text = self.text(tokens)
        if _cut(text, request.stop) != text:
            return True
        unfinished = text.endswith(_REPLACEMENT)  # the last character may lack some of its bytes
        return request.decided is not None and not unfinished and re.search(request.decided, text) is not None

    def answer(self, request: Generate, tokens: Sequence[int]) -> str:
        """Return the text of generated `tokens`, cut before the first stop string."""
        return _cut(self.text(tokens), request.stop)

    def _choices(self, request: LogLikelihood, encoded: dict[str, tuple[int, ...]]) -> Choices:
        prompt = encoded[request.prompt]
        wholes = [encoded[request.prompt + continuation] for continuation in request.continuations]
        for continuation, whole in zip(request.continuations, wholes, strict=True):
            self._check(request.prompt, prompt, len(whole) - len(prompt))
            if len(whole) <= len(prompt) or self._is_joined(request.prompt, prompt, whole):
                raise InputError(
                    f"choice {continuation!r} has no token of its own after prompt {_end_of(request.prompt)}: the base "
                    "model's tokenizer joins it with the prompt's end, or drops it: end the prompt (the template) with "
                    "a word or a colon, or give the choice another text"
                )
        _require_distinct(request.continuations, wholes)
        shared = _shared_length([prompt, *wholes])
        if not shared:
            raise InputError(f"prompt {_shortened(request.prompt)} shares no token with its continuations: lengthen it")
        return Choices(
            wholes[0][:shared],
            tuple(whole[shared:] for whole in wholes),
            tuple(len(whole) - len(prompt) for whole in wholes),
        )

    def _is_joined(self, text: str, prompt: Sequence[int], whole: Sequence[int]) -> bool:
        """Tell whether a token holds the line break that ends the prompt `text`, and the continuation's beginning."""
        if not text[-1:].isspace():
            return False
        changed_tokens = [new for old, new in zip(prompt, whole, strict=False) if old != new]
        return any(self.text([token]).strip() for token in changed_tokens)

    def _encode(self, texts: Sequence[str]) -> dict[str, tuple[int, ...]]:
        bos = self._tokenizer.bos_token
        encoded: dict[str, tuple[int, ...]] = {}
        for special in (True, False):
            chosen = [text for text in dict.fromkeys(texts) if special != bool(bos and text.startswith(bos))]
            if chosen:
                ids = self._tokenizer(chosen, add_special_tokens=special)["input_ids"]
                extra = self._count_appended() if special else 0
                encoded |= {
                    text: tuple(tokens[: len(tokens) - extra]) for text, tokens in zip(chosen, ids, strict=True)
                }
        return encoded

    def _count_appended(self) -> int:
        if self._appended is None:
            self._appended = appended_tokens(self._tokenizer)
        return self._appended

    def _check(self, prompt: str, tokens: Sequence[int], new: int) -> None:
        if not tokens:
            raise InputError(f"prompt {_shortened(prompt)} has no tokens: an engine needs at least one")
        if self._longest is not None and len(tokens) + new > self._longest:
            raise InputError(
                f"prompt {_shortened(prompt)} has {len(tokens)} tokens and may get {new} more, but the base model "
                f"takes {self._longest}: shorten it, or lower max_new_tokens"
            )


class EncodedRequests:
    """Requests in tokens, by kind and by their index.

    Attributes:
        count: the number of requests.
        prompts: those that are to be continued.
        choices: those whose continuations are to be scored.

    """

    def __init__(self, tokens: Tokens, requests: Sequence[Request]):
        """Encode every request; raises `InputError` where a prompt is empty or too long."""
        generate = {index: request for index, request in enumerate(requests) if isinstance(request, Generate)}
        choose = {index: request for index, request in enumerate(requests) if isinstance(request, LogLikelihood)}
        self.count = len(requests)
        self.prompts: dict[int, Prompt] = dict(zip(generate, tokens.prompts(list(generate.values())), strict=True))
        self.choices: dict[int, Choices] = dict(zip(choose, tokens.choices(list(choose.values())), strict=True))


def _require_distinct(continuations: Sequence[str], wholes: Sequence[tuple[int, ...]]) -> None:
    """Raise `InputError` if different continuations have the same tokens: neither could be the likelier one."""
    texts: dict[tuple[int, ...], str] = {}
    for continuation, whole in zip(continuations, wholes, strict=True):
        if texts.setdefault(whole, continuation) != continuation:
            raise InputError(
                f"choices {texts[whole]!r} and {continuation!r} have the same tokens, so that neither can be likelier: "
                "the base model's tokenizer does not know their characters, or not their case: give them other texts"
            )


def _shared_length(sequences: Sequence[Sequence[int]]) -> int:
    columns = zip(*sequences, strict=False)
    return next((i for i, column in enumerate(columns) if len(set(column)) > 1), min(map(len, sequences)))


def _cut(text: str, stops: Sequence[str]) -> str:
    return text[: min((start for stop in stops if (start := text.find(stop)) >= 0), default=len(text))]


def _end_of(text: str) -> str:
    return repr(text if len(text) <= 40 else "…" + text[-40:])


def _shortened(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:40] + "…")
