"""`swarm resume`."""

from cli.runs.drive import drive_and_print
from cli.runs.records import open_records
from cli.terminal.options import AsJson, RunArgument
from flows.searches import run_config
from infra.files.run_folder import RunFolder
from infra.records.values import RunStatus
from infra.settings import Settings
from swarm.errors import InputError


def resume(name: RunArgument, as_json: AsJson = False) -> None:
    """Continue a run that was stopped, killed or failed; finished evaluations are not repeated."""
    settings = Settings()
    with open_records(settings) as records:
        if records.run(name).status is RunStatus.FINISHED:
            raise InputError(f"run {name!r} is finished: there is nothing to resume; see: swarm report {name}")
    folder = RunFolder(settings.runs, name)
    drive_and_print(run_config(folder.read_config(), str(folder.config)), as_json)
