"""Reading what is recorded of runs, without making anything where nothing was recorded."""

from pathlib import Path
from typing import Any

from sqlalchemy import make_url

from infra.files.locks import is_abandoned
from infra.files.run_folder import RunFolder
from infra.records.store import Records
from infra.records.values import RunRecord, RunStatus
from infra.settings import Settings
from swarm.errors import InputError
from swarm.recipes import BASE
from swarm.state import State

KILLED = "killed"
"""What a run is called that is recorded as running while nobody drives it: its process was killed."""


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


def last_state(records: Records, run: str) -> State | None:
    """Return the last saved iteration of `run`; None before the first."""
    iterations = records.iterations(run)
    return State.from_json(iterations[-1].state) if iterations else None


def last_progress(records: Records, run: str) -> tuple[int | None, dict[str, Any] | None]:
    """Return the last saved iteration of `run`, and its best so far as JSON with `utility` and `iteration`, if any."""
    iterations = records.iterations(run)
    if not iterations:
        return None, None
    state = iterations[-1].state
    if "graphs" in state:
        best = state["best"]
        who = f"a system, by its {best['step']}"
        return state["iteration"], {"utility": best["utility"], "iteration": best["iteration"], "found_by": who}
    if (mean := state.get("best")) is not None:  # of evolution strategies, whose best is a mean
        return state["iteration"], {"utility": mean["reward"], **mean}
    return state["iteration"], state.get("global_best")


def basis_names(run: RunRecord) -> list[str]:
    """Return the names of the bases that the coefficients of `run` belong to, in their order."""
    if "experts" not in run.config:
        return [run.config.get("start") or BASE]
    return [*run.config["experts"], *([BASE] if run.config["include_base"] else [])]


def shown_status(run: RunRecord, settings: Settings) -> str:
    """Return where `run` stands: its recorded status, or `KILLED` if it is recorded as running but nobody drives it."""
    if run.status is RunStatus.RUNNING and is_abandoned(RunFolder(settings.runs, run.name).path):
        return KILLED
    return run.status.value
