"""`swarm history`."""

from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from cli.terminal.console import print_json, print_table
from cli.terminal.options import AsJson, RunArgument
from swarm.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.records.values import IterationRecord, RunRecord
    from infra.run.search import Search


def history(
    name: RunArgument,
    iteration: Annotated[
        int | None, typer.Option("--iteration", "-i", metavar="N", help="Show the particles of one iteration.")
    ] = None,
    example: Annotated[
        int | None,
        typer.Option("--example", "-e", metavar="K", help="Show example K (the first is 1): prompt, answers, scores."),
    ] = None,
    split: Annotated[
        str | None, typer.Option(metavar="dev|test", help="The example's split; test once it is read, else dev.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show every iteration of a run: step length, utilities, global best and worst, restarts.

    With --example, show what was asked for one example, word for word, and what the best answered.
    """
    from cli.runs.example import check_split, print_example
    from cli.runs.records import open_records
    from flows.searches import SEARCHES
    from infra.settings import Settings

    if example is not None and iteration is not None:
        raise InputError("--example shows the best, whatever its iteration: leave out --iteration")
    if example is None and split is not None:
        raise InputError("--split is an example's: give --example K, too")
    with open_records(Settings()) as records:
        run = records.run(name)
        search = SEARCHES.of(run)
        if example is not None:
            print_example(records, run, search, example, check_split(split), as_json)
            return
        iterations = records.iterations(name)
    if iteration is not None:
        selection = [record for record in iterations if record.iteration == iteration]
        iterations = selection or _refuse(run, iterations, iteration)
    if as_json:
        print_json([search.history_record(record) for record in iterations])
    else:
        _print(search, run, iterations, iteration is not None)


def _print(search: "Search[Any]", run: "RunRecord", iterations: "Sequence[IterationRecord]", alone: bool) -> None:
    print_table(search.iteration(run, iterations[0]) if alone else search.history(run, iterations))


def _refuse(run: "RunRecord", iterations: "Sequence[IterationRecord]", iteration: int) -> NoReturn:
    numbers = f"0 to {iterations[-1].iteration}" if iterations else "none yet"
    raise InputError(f"run {run.name!r} has no iteration {iteration}: it has {numbers}")
