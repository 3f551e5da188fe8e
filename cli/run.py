"""`swarm run`, `swarm resume`, `swarm stop`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from cli.console import AsJson, out, print_json, table
from cli.drive import Unfinished, drive
from cli.live import live_display
from cli.run_records import open_records
from cli.system_history import system_lines
from infra.configs.common import RunConfig
from infra.configs.registry import load_run_config, run_config
from infra.files.run_folder import RunFolder
from infra.records.values import RunStatus
from infra.settings import Settings
from swarm.errors import InputError

__all__ = ["Unfinished", "resume", "run", "stop"]

RunName = Annotated[str, typer.Argument(metavar="RUN", help="The run's name (`swarm status` lists them).")]


def run(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="The run's YAML file.")],
    overrides: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override a field, e.g. search.particles=10.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run a search (or continue it, if it was begun), and print its summary."""
    _drive(load_run_config(config, overrides or []), as_json)


def resume(name: RunName, as_json: AsJson = False) -> None:
    """Continue a run that was stopped, killed or failed; finished evaluations are not repeated."""
    settings = Settings()
    with open_records(settings) as records:
        if records.run(name).status is RunStatus.FINISHED:
            raise InputError(f"run {name!r} is finished: there is nothing to resume; see: swarm report {name}")
    folder = RunFolder(settings.runs, name)
    _drive(run_config(folder.read_config(), str(folder.config)), as_json)


def stop(name: RunName, as_json: AsJson = False) -> None:
    """Ask a run to stop after the evaluation group under way; it can be resumed."""
    with open_records(Settings()) as records:
        if records.run(name).status is RunStatus.FINISHED:
            raise InputError(f"run {name!r} is finished: there is nothing to stop")
        records.request_stop(name)
    if as_json:
        print_json({"run": name, "stop_requested": True})
    else:
        out.print(f"{name} stops after the evaluation group under way; continue it with: swarm resume {name}")


def _drive(config: RunConfig, as_json: bool) -> None:
    with live_display(config) as observer:
        summary = drive(config, observer)
    if as_json:
        print_json(summary)
    else:
        _print_summary(summary, RunFolder(Settings().runs, config.name))


def _print_summary(summary: dict[str, Any], folder: RunFolder) -> None:
    start, end, ensemble = summary["starting_best"], summary["ending_best"], summary["ensemble"]
    before = "start" if summary["algorithm"] == "evolution-strategies" else "best expert"
    rows = [
        (f"{before} ({start['expert']})", start["dev"], start["test"], _interval(start["test_ci95"])),
        ("found by the search", end["dev"], end["test"], _interval(end["test_ci95"])),
    ]
    if ensemble is not None:
        rows.append(
            (f"ensemble of {ensemble['k']}", ensemble["dev"], ensemble["test"], _interval(ensemble["test_ci95"]))
        )
    out.print(table(("", "dev", "test", "95 % interval"), rows))
    out.print(f"paired test against the {before}: p = {end['p_value_vs_starting_best']:.4f}")
    if "system" in end:
        out.print(system_lines(summary), soft_wrap=True, markup=False)
    else:
        out.print(f"recipe: {_recipe(end['recipe'])}".replace("+ -", "− "), soft_wrap=True)
    out.print(
        f"{summary['iterations']} iterations, stopped by {summary['stopped_by']}; "
        f"{summary['evaluations']} evaluations, {summary['generated_tokens']} tokens generated, "
        f"{summary['wall_seconds']:.0f} s",
        soft_wrap=True,
    )
    kind = "system: " if "system" in end else "adapter:" if _is_adapter(summary) else "model:  "
    out.print(f"{kind} {folder.best}\nreport:  {folder.report}", soft_wrap=True)


def _is_adapter(summary: dict[str, Any]) -> bool:
    return bool(summary.get("perturbation", {}).get("mode", "adapter") == "adapter")


def _recipe(recipe: dict[str, Any]) -> str:
    if "updates" in recipe:
        return f"the start and {recipe['updates']} updates from seeds"
    return " + ".join(f"{value:.2f}·{name}" for name, value in recipe["coefficients"].items())


def _interval(bounds: list[float]) -> str:
    return f"{bounds[0]:.3f} – {bounds[1]:.3f}"
