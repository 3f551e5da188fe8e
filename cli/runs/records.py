"""Open the records of runs, and make no database where there is none."""

from pathlib import Path
from sqlalchemy import make_url

from infra.files.locks import is_abandoned
from infra.files.run_folder import RunFolder
from infra.records.store import Records
from infra.records.values import RunRecord, RunStatus
from infra.settings import Settings
from swarm.errors import InputError

KILLED = "killed"
"""The status of a run that is recorded as running while no process drives it: its process was killed."""


def has_records(settings: Settings) -> bool:
    """Tell whether there is a database of records; one that is reached by a URL of its own counts as there."""
    if settings.database_url is not None:
        return True
    return Path(str(make_url(settings.records_url).database)).exists()


def open_records(settings: Settings) -> Records:
    """Open the records of runs that were made.

    Raises:
        InputError: no run was ever made with these settings, or the database can't be used.

    """
    if not has_records(settings):
        raise InputError(f"there are no runs in {settings.runs}: start one with 'swarm run CONFIG', or set SWARM_RUNS")
    return Records(settings.records_url)


def shown_status(run: RunRecord, settings: Settings) -> str:
    """Return where `run` stands: its recorded status, or `KILLED` if it is recorded as running but nobody drives it."""
    if run.status is RunStatus.RUNNING and is_abandoned(RunFolder(settings.runs, run.name).path):
        return KILLED
    return run.status.value
