"""`swarm status`."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.terminal.console import err, out, print_json, table
from cli.terminal.options import AsJson
from infra.observing.views import BestSoFar

if TYPE_CHECKING:
    from infra.records.store import Records
    from infra.records.values import RunRecord
    from infra.settings import Settings


@dataclass(frozen=True)
class RunOverview:
    """Where a run stands.

    Attributes:
        run: the run.
        status: its status; `killed` if nobody drives it though it is recorded as running; `damaged` if its records are.
        iteration: its last saved iteration; None before the first.
        most: the most iterations that it makes; None if there is no limit, or its algorithm is not installed here.
        best: the best so far; None before there is one, or if its algorithm is not installed here.

    """

    run: "RunRecord"
    status: str
    iteration: int | None
    most: int | None
    best: BestSoFar | None

    def to_json(self) -> dict[str, Any]:
        """Return this as plain JSON."""
        return {
            "run": self.run.name,
            "algorithm": self.run.algorithm,
            "status": self.status,
            "iteration": self.iteration,
            "max_iterations": self.most,
            "best": None if self.best is None else self.best.record,
            "created_at": self.run.created_at.isoformat(timespec="seconds"),
            "updated_at": self.run.updated_at.isoformat(timespec="seconds"),
        }

    @property
    def progress(self) -> str | None:
        """The iterations made, of how many; None before the first."""
        if self.iteration is None:
            return None
        return str(self.iteration) if self.most is None else f"{self.iteration}/{self.most}"

    @property
    def next_steps(self) -> list[str]:
        """The commands that make sense now."""
        name = self.run.name
        if self.status == "finished":
            return [f"swarm report {name}", f"swarm export {name} DIR"]
        if self.status == "running":
            return [f"swarm status {name}"] if self.run.stop_requested else [f"swarm stop {name}"]
        return [f"swarm resume {name}"]


def status(
    name: Annotated[str | None, typer.Argument(metavar="[RUN]", help="A run's name; all runs without it.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show all runs, or one run in detail and what to do next."""
    from cli.runs.records import has_records, open_records
    from infra.settings import Settings

    settings = Settings()
    if name is None and not has_records(settings):
        _print_runs([], settings, as_json)
        return
    with open_records(settings) as records:
        if name is None:
            _print_runs([_overview_or_damage(records, run, settings) for run in records.runs()], settings, as_json)
        else:
            _print_run(records, _overview(records, records.run(name), settings), settings, as_json)


def _overview_or_damage(records: "Records", run: "RunRecord", settings: "Settings") -> RunOverview:
    """Return the overview of `run`; if something of it is damaged, say so: the other runs are shown all the same."""
    from infra.records.damage import DamagedRecords

    try:
        return _overview(records, run, settings)
    except DamagedRecords as error:
        err.print(str(error), soft_wrap=True)
        return RunOverview(run, "damaged", None, None, None)


def _overview(records: "Records", run: "RunRecord", settings: "Settings") -> RunOverview:
    from cli.runs.records import shown_status
    from flows.searches import SEARCHES

    iterations, now = records.iterations(run.name), shown_status(run, settings)
    last = iterations[-1].iteration if iterations else None
    if run.algorithm not in SEARCHES:
        return RunOverview(run, now, last, None, None)
    search = SEARCHES.of(run)
    best = search.best_so_far(run, iterations[-1].state) if iterations else None
    return RunOverview(run, now, last, search.most_iterations(run), best)


def _print_runs(runs: list[RunOverview], settings: "Settings", as_json: bool) -> None:
    if as_json:
        print_json([overview.to_json() for overview in runs])
    elif not runs:
        err.print(f"there are no runs in {settings.runs}: start one with: swarm run CONFIG", soft_wrap=True)
    else:
        rows = [
            (
                overview.run.name,
                overview.status,
                overview.progress,
                overview.best and overview.best.utility,
                overview.run.updated_at.isoformat(timespec="seconds"),
            )
            for overview in runs
        ]
        out.print(table(("run", "status", "iteration", "best dev utility", "updated (UTC)"), rows))


def _print_run(records: "Records", overview: RunOverview, settings: "Settings", as_json: bool) -> None:
    from infra.files.run_folder import RunFolder

    run = overview.run
    seconds, folder = records.timings(run.name), RunFolder(settings.runs, run.name).path
    if as_json:
        print_json({**overview.to_json(), **_details(overview, seconds, str(folder))})
        return
    best = overview.best
    facts = {
        "status": overview.status + (" (asked to stop)" if run.stop_requested else ""),
        "stopped by": run.stopped_by,
        "error": run.error,
        "iteration": overview.progress,
        "global best": best and f"{best.utility:.4f} ({best.finder}, iteration {best.iteration})",
        "recipe": best and best.recipe,
        "test": run.summary and _test(run.summary["ending_best"]),
        "base model": run.config["base_model"],
        "seed": run.seed,
        "seconds": ", ".join(f"{part} {duration:.1f}" for part, duration in seconds.items()),
        "updated": run.updated_at.isoformat(timespec="seconds"),
        "folder": folder,
        "next": "  or  ".join(overview.next_steps),
    }
    out.print(run.name, style="bold")
    for fact, value in facts.items():
        if value not in (None, "", False):
            out.print(f"{fact:<12} {value}", soft_wrap=True)


def _details(overview: RunOverview, seconds: dict[str, float], folder: str) -> dict[str, Any]:
    from flows.searches import SEARCHES

    run = overview.run
    return {
        "stop_requested": run.stop_requested,
        "stopped_by": run.stopped_by,
        "error": run.error,
        "seed": run.seed,
        "base_model": run.config["base_model"],
        "bases": list(SEARCHES.of(run).bases(run)) if run.algorithm in SEARCHES else [],
        "seconds": seconds,
        "folder": folder,
        "summary": run.summary,
        "next": overview.next_steps,
    }


def _test(best: dict[str, Any]) -> str | None:
    if best["test"] is None:
        return None
    low, high = best["test_ci95"]
    return f"{best['test']:.4f} (95 %: {low:.3f} – {high:.3f}; p = {best['p_value_vs_starting_best']:.4f})"
