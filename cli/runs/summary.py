"""The summary of a finished run, as `swarm run` and `swarm resume` print it."""

from typing import Any

from cli.terminal.console import out, table
from infra.files.run_folder import RunFolder
from infra.observing.views import SummaryText


def print_summary(summary: dict[str, Any], text: SummaryText, folder: RunFolder) -> None:
    """Print who was tested and how good they are, what was found, what it cost, and where it lies."""
    start, end, ensemble = summary["starting_best"], summary["ending_best"], summary["ensemble"]
    rows = [
        (f"{text.before} ({start['expert']})", start["dev"], start["test"], _interval(start["test_ci95"])),
        ("found by the search", end["dev"], end["test"], _interval(end["test_ci95"])),
    ]
    if ensemble is not None:
        rows.append(
            (f"ensemble of {ensemble['k']}", ensemble["dev"], ensemble["test"], _interval(ensemble["test_ci95"]))
        )
    out.print(table(("", "dev", "test", "95 % interval"), rows))
    out.print(f"paired test against the {text.before}: p = {end['p_value_vs_starting_best']:.4f}")
    out.print(text.result, soft_wrap=True)
    out.print(
        f"{summary['iterations']} iterations, stopped by {summary['stopped_by']}; "
        f"{summary['evaluations']} evaluations, {summary['generated_tokens']} tokens generated, "
        f"{summary['wall_seconds']:.0f} s",
        soft_wrap=True,
    )
    out.print(f"{text.kind + ':':<8} {folder.best}\nreport:  {folder.report}", soft_wrap=True)


def _interval(bounds: list[float]) -> str:
    return f"{bounds[0]:.3f} – {bounds[1]:.3f}"
