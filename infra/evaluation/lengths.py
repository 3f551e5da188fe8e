"""Find out before a search whether every question fits into the base model: which is too long, or can't be scored."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from data.examples import SPLITS
from data.objective import Objective
from data.requests import Completion, Generate, LogLikelihood, Request
from data.task import Case, Task
from experts.base_models import BaseModel
from infra.engines.config import ENGINE_PLUGINS, EngineConfig
from infra.engines.tokenizer import load_tokenizer
from infra.engines.tokens import EncodedRequests, Tokens
from infra.engines.window import longest_text
from swarm.errors import InputError

_AT_ONCE = 1000


@dataclass(frozen=True)
class Asked:
    """A request that an example will lead to.

    Attributes:
        location: the task and the example, as messages write it.
        request: the request, with "" in the place of answers that it will hold.
        reserve: the most tokens of those answers.
        what: what makes it long besides the example, as messages write it.
        remedy: what makes it shorter.

    """

    location: str
    request: Request
    reserve: int = 0
    what: str = ""
    remedy: str = ""


class Window:
    """The tokenizer and the longest text of the engine that will answer."""

    def __init__(self, base: BaseModel, engine: EngineConfig) -> None:
        """Load the tokenizer; raises `InputError` if it can't be loaded."""
        self._base = base
        self._tokens = Tokens(load_tokenizer(base), None)
        self._longest = longest_text(engine, base)

    def count(self, text: str) -> int:
        """Return the number of tokens of `text`."""
        return len(self._tokens.prompts([Generate(text, 1)])[0].tokens) if text else 0

    def require_room(self, requests: Iterator[Asked]) -> None:
        """Check that each of `requests` can be asked.

        Raises:
            InputError: one can't; the first is named, the others that are too long are counted.

        """
        too_long: dict[str, str] = {}
        while part := list(islice(requests, _AT_ONCE)):
            for asked, problem in self._too_long(part):
                too_long.setdefault(asked.location, problem)
        for location, problem in too_long.items():
            others = len(too_long) - 1
            raise InputError(f"{location}: {problem}{f' (too long, too: {others} more)' if others else ''}")

    def _too_long(self, requests: Sequence[Asked]) -> Iterator[tuple[Asked, str]]:
        encoded = self._encode(requests)
        for index, asked in enumerate(requests):
            known = encoded.prompts.get(index) or encoded.choices[index]
            new = known.size - len(known.tokens)
            if self._longest is None or known.size + asked.reserve <= self._longest:
                continue
            shorten = "lower max_new_tokens" if isinstance(asked.request, Generate) else "shorten its choices"
            yield (
                asked,
                f"{asked.what}{len(known.tokens) + asked.reserve} tokens of prompt and {new} of answer are more than "
                f"the {self._longest} that the base model {self._base.name!r} takes: shorten it, "
                f"{asked.remedy or shorten}, or leave it out",
            )

    def _encode(self, requests: Sequence[Asked]) -> EncodedRequests:
        try:
            return EncodedRequests(self._tokens, [asked.request for asked in requests])
        except InputError:
            for asked in requests:
                try:
                    EncodedRequests(self._tokens, [asked.request])
                except InputError as error:
                    raise InputError(f"{asked.location}: {error}") from error
            raise


def require_room(objective: Objective, base: BaseModel, engine: EngineConfig) -> None:
    """Check that every example of `objective`, of both splits, can be asked of `base` by `engine`.

    Engines of plugins are left out: only they know how they read a text.

    Raises:
        InputError: an example is too long, or a choice has no token of its own.

    """
    if engine.kind in ENGINE_PLUGINS.built_in:
        Window(base, engine).require_room(_requests(objective))


def location_of(task: Task, case: Case) -> str:
    """Return where the example of `case` is, as messages write it."""
    return f"task {task.name!r}: {case.example.location}"


def all_cases(objective: Objective) -> Iterator[tuple[Task, Case]]:
    """Yield every case of both splits, with its task."""
    for split in SPLITS:
        for task in objective.tasks:
            yield from ((task, case) for case in task.cases(split))


def _requests(objective: Objective) -> Iterator[Asked]:
    for task, case in all_cases(objective):
        yield Asked(location_of(task, case), case.request)
        if isinstance(case.request, LogLikelihood):
            continue
        second = task.follow_up(case, Completion("", 0))
        if second is not None:
            yield Asked(location_of(task, case), second, case.request.max_new_tokens, "when it is asked on, ")
