"""`swarm stop`."""

from cli.runs.records import open_records
from cli.terminal.console import out, print_json
from cli.terminal.options import AsJson, RunArgument
from infra.records.values import RunStatus
from infra.settings import Settings
from swarm.errors import InputError


def stop(name: RunArgument, as_json: AsJson = False) -> None:
    """Ask a run to stop after the evaluation group under way; it can be resumed."""
    with open_records(Settings()) as records:
        if records.run(name).status is RunStatus.FINISHED:
            raise InputError(f"run {name!r} is finished: there is nothing to stop")
        records.request_stop(name)
    if as_json:
        print_json({"run": name, "stop_requested": True})
    else:
        out.print(f"{name} stops after the evaluation group under way; continue it with: swarm resume {name}")
