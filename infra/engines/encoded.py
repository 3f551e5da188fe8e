"""A call's requests in tokens."""

from collections.abc import Sequence

from data.requests import Generate, LogLikelihood, Request
from infra.engines.tokens import Choices, Prompt, Tokens


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
