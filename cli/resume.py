"""`swarm resume`."""

from cli.runs.drive import drive_and_print
from cli.runs.records import open_records
from cli.runs.stored_config import stored_config
from cli.terminal.options import AsJson, RunArgument
from infra.records.values import RunStatus
from infra.settings import Settings
from swarm.errors import InputError


def resume(name: RunArgument, as_json: AsJson = False) -> None:
    """Continue a run that was stopped, killed or failed; finished evaluations are not repeated."""
    settings = Settings()
    with open_records(settings) as records:
        if records.run(name).status is RunStatus.FINISHED:
            raise InputError(f"run {name!r} is finished: there is nothing to resume; see: swarm report {name}")
    drive_and_print(stored_config(name, settings), as_json)
