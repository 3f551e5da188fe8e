"""`swarm status`, `swarm history`, `swarm report`."""

from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from cli.console import AsJson, err, out, print_json, table
from swarm.errors import InputError

if TYPE_CHECKING:
    from infra.records.store import Records
    from infra.records.values import IterationRecord, RunRecord
    from infra.settings import Settings

RunName = Annotated[str, typer.Argument(metavar="RUN", help="The run's name (`swarm status` lists them).")]


def status(
    name: Annotated[str | None, typer.Argument(metavar="[RUN]", help="A run's name; all runs without it.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show all runs, or one run in detail and what to do next."""
    from cli.run_records import has_records, open_records
    from infra.settings import Settings

    settings = Settings()
    if name is None and not has_records(settings):
        _print_runs([], settings, as_json)
        return
    with open_records(settings) as records:
        if name is None:
            _print_runs([_overview(records, run, settings) for run in records.runs()], settings, as_json)
        else:
            _print_run(_details(records, records.run(name), settings), as_json)


def history(
    name: RunName,
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
    from cli.evolution_history import evolution_history
    from cli.example_history import checked_split, example_history
    from cli.history_tables import swarm_history
    from cli.run_records import basis_names, open_records
    from cli.system_history import system_history
    from infra.settings import Settings

    if example is not None and iteration is not None:
        raise InputError("--example shows the best, whatever its iteration: leave out --iteration")
    if example is None and split is not None:
        raise InputError("--split is an example's: give --example K, too")
    with open_records(Settings()) as records:
        run = records.run(name)
        if example is not None:
            example_history(records, name, example, checked_split(split), as_json)
            return
        iterations = records.iterations(name)
    one = iteration is not None
    if iteration is not None:
        found = [saved for saved in iterations if saved.iteration == iteration]
        iterations = found or _refuse(run, iterations, iteration)
    match run.algorithm:
        case "evolution-strategies":
            evolution_history(iterations, one, as_json)
        case "heterogeneous-swarms":
            system_history(run, iterations, one, basis_names(run), as_json)
        case _:
            swarm_history(iterations, one, basis_names(run), as_json)


def report(name: RunName, as_json: AsJson = False) -> None:
    """Write a run's report.html from the records, and print its path."""
    from cli.run_records import open_records
    from infra.files.run_folder import RunFolder
    from infra.searches.model_swarms.report.page import write_report
    from infra.settings import Settings

    settings = Settings()
    with open_records(settings) as records:
        run = records.run(name)
        folder = RunFolder(settings.runs, run.name)
        folder.create()
        write_report(records, run.name, folder.report)
    if as_json:
        print_json({"run": name, "report": str(folder.report)})
    else:
        out.print(str(folder.report), soft_wrap=True, markup=False)


def _overview(records: "Records", run: "RunRecord", settings: "Settings") -> dict[str, Any]:
    from cli.run_records import last_progress, shown_status

    iteration, best = last_progress(records, run.name)
    return {
        "run": run.name,
        "algorithm": run.algorithm,
        "status": shown_status(run, settings),
        "iteration": iteration,
        "max_iterations": run.config["search"]["max_iterations"],
        "best": best,
        "created_at": run.created_at.isoformat(timespec="seconds"),
        "updated_at": run.updated_at.isoformat(timespec="seconds"),
    }


def _details(records: "Records", run: "RunRecord", settings: "Settings") -> dict[str, Any]:
    from cli.run_records import basis_names
    from infra.files.run_folder import RunFolder

    overview = _overview(records, run, settings)
    return {
        **overview,
        "stop_requested": run.stop_requested,
        "stopped_by": run.stopped_by,
        "error": run.error,
        "seed": run.seed,
        "base_model": run.config["base_model"],
        "bases": basis_names(run),
        "seconds": records.timings(run.name),
        "folder": str(RunFolder(settings.runs, run.name).path),
        "summary": run.summary,
        "next": _next_steps(run.name, overview["status"], run.stop_requested),
    }


def _next_steps(name: str, status: str, stop_requested: bool) -> list[str]:
    if status == "finished":
        return [f"swarm report {name}", f"swarm export {name} DIR"]
    if status == "running":
        return [f"swarm status {name}"] if stop_requested else [f"swarm stop {name}"]
    return [f"swarm resume {name}"]


def _print_runs(runs: list[dict[str, Any]], settings: "Settings", as_json: bool) -> None:
    if as_json:
        print_json(runs)
    elif not runs:
        err.print(f"there are no runs in {settings.runs}: start one with: swarm run CONFIG", soft_wrap=True)
    else:
        rows = [
            (run["run"], run["status"], _progress(run), run["best"] and run["best"]["utility"], run["updated_at"])
            for run in runs
        ]
        out.print(table(("run", "status", "iteration", "best dev utility", "updated (UTC)"), rows))


def _print_run(run: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(run)
        return
    best = run["best"]
    facts = {
        "status": run["status"] + (" (asked to stop)" if run["stop_requested"] else ""),
        "stopped by": run["stopped_by"],
        "error": run["error"],
        "iteration": _progress(run),
        "global best": best and _found(best),
        "recipe": best and "coefficients" in best and _recipe(run["bases"], best["coefficients"]),
        "test": run["summary"] and _test(run["summary"]["ending_best"]),
        "base model": run["base_model"],
        "seed": run["seed"],
        "seconds": ", ".join(f"{part} {seconds:.1f}" for part, seconds in run["seconds"].items()),
        "updated": run["updated_at"],
        "folder": run["folder"],
        "next": "  or  ".join(run["next"]),
    }
    out.print(f"[bold]{run['run']}[/bold]")
    for fact, value in facts.items():
        if value not in (None, "", False):
            out.print(f"{fact:<12} {value}", soft_wrap=True, markup=False)


def _found(best: dict[str, Any]) -> str:
    who = f"particle {best['particle']}" if "particle" in best else best.get("found_by", "the mean")
    return f"{best['utility']:.4f} ({who}, iteration {best['iteration']})"


def _progress(run: dict[str, Any]) -> str | None:
    return None if run["iteration"] is None else f"{run['iteration']}/{run['max_iterations']}"


def _recipe(names: list[str], coefficients: list[float]) -> str:
    return " ".join(f"{value:+.2f}·{name}" for name, value in zip(names, coefficients, strict=True))


def _test(best: dict[str, Any]) -> str | None:
    if best["test"] is None:
        return None
    low, high = best["test_ci95"]
    return f"{best['test']:.4f} (95 %: {low:.3f} – {high:.3f}; p = {best['p_value_vs_starting_best']:.4f})"


def _refuse(run: "RunRecord", iterations: "list[IterationRecord]", iteration: int) -> NoReturn:
    saved = f"0 to {iterations[-1].iteration}" if iterations else "none yet"
    raise InputError(f"run {run.name!r} has no iteration {iteration}: it has {saved}")
