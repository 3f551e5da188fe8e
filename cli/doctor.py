"""`swarm doctor`."""

import typer

from cli.terminal.console import out, print_json
from cli.terminal.options import AsJson

_STYLES = {"ok": "green", "optional": "yellow", "missing": "bold red"}


def doctor(as_json: AsJson = False) -> None:
    """Show what this machine can run, and what to do about what is missing; ends with code 1 if a run can't work."""
    from dataclasses import asdict

    from cli.machine.examination import examine
    from infra.settings import Settings

    checks = examine(Settings())
    if as_json:
        print_json([asdict(check) for check in checks])
    else:
        for check in checks:
            out.print(f"{check.status:<9}", style=_STYLES[check.status], end="")
            remedy = f" → {check.remedy}" if check.remedy else ""
            out.print(f"{check.name:<17} {check.found}{remedy}", soft_wrap=True)
    if any(check.status == "missing" for check in checks):
        raise typer.Exit(1)
