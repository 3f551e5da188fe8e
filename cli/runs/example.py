"""One example of a run: what was asked, word for word, and what the starting best and the best answered."""

from typing import TYPE_CHECKING, Any

from cli.terminal.console import out, print_json
from data.requests import Generate, Request
from swarm.errors import InputError

if TYPE_CHECKING:
    from data.examples import Split
    from infra.records.store import Records
    from infra.records.values import RunRecord
    from infra.report.asked_examples import AskedExample, Exchange
    from infra.run.search import Search


def print_example(
    records: "Records", run: "RunRecord", search: "Search[Any]", number: int, split: "Split | None", as_json: bool
) -> None:
    """Print the example of that `number`: of `split`, or of the test split if it is read, else of dev.

    Raises:
        InputError: there is no such example, or nobody was asked it yet.

    """
    from infra.report.asked_examples import AskedExamples, split_to_show

    shown_split = split or split_to_show(records, run.name)
    example = AskedExamples(records, run, shown_split, search.finalists(records, run, shown_split))[number]
    if as_json:
        print_json(example.to_json())
    else:
        _print(example)


def check_split(split: str | None) -> "Split | None":
    """Return `split`; raises `InputError` if there is no such split."""
    match split:
        case "dev" | "test" | None:
            return split
        case _:
            raise InputError(f"--split {split}: there is no such split: give dev or test")


def _print(example: "AskedExample") -> None:
    of = f" of {example.task}" if example.task else ""
    out.print(f"{example.split} example {example.number}{of}", soft_wrap=True)
    before = None
    for exchange in example.exchanges:
        if exchange.request is None:
            _line(f"{exchange.who} was asked what the records do not hold with this example")
        elif exchange.request != before:
            _line(f"{exchange.who} was asked {_about(exchange.request)}:", exchange.request.prompt)
        else:
            _line(f"{exchange.who} was asked the same")
        before = exchange.request
        if exchange.output is not None:
            _line(f"{exchange.who} answered{_reading(exchange)}:", exchange.output)


def _about(request: Request) -> str:
    if not isinstance(request, Generate):
        return f"for the likelihoods of {', '.join(map(repr, request.continuations))} after"
    stop = f", up to {' or '.join(map(repr, request.stop))}" if request.stop else ""
    return f"for {request.max_new_tokens} tokens at most{stop}, after"


def _reading(exchange: "Exchange") -> str:
    if exchange.score is None:
        return ""
    return f" (read as {exchange.prediction!r}, score {exchange.score:.4f})"


def _line(about: str, text: str | None = None) -> None:
    out.print(f"\n{about}", soft_wrap=True)
    for line in [] if text is None else text.split("\n"):
        out.print(f"    {line}", soft_wrap=True)
