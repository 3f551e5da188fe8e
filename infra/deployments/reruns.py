"""Find the searches that run again when their data changes, by their names in the records."""

from dataclasses import dataclass

from infra.files.run_folder import check_run_name
from infra.records.store import Records
from infra.records.values import RunStatus

FINGERPRINT_DIGITS = 6
"""Digits of the data's fingerprint in a run's name: a search has few enough versions of its data."""


@dataclass(frozen=True)
class Rerun:
    """A search on one version of its data.

    Attributes:
        run: its name: that of the configuration, and what the data's fingerprint begins with, as in `demo-3f9a1c`.
        status: where it stands; None if it was not begun.
        previous: the latest finished run of the same configuration on other data; None before there is one.

    """

    run: str
    status: RunStatus | None
    previous: str | None


def rerun_name(name: str, fingerprint: str) -> str:
    """Return the name of the run of the configuration `name` on data of this fingerprint.

    Raises:
        InputError: the name would be too long.

    """
    return check_run_name(f"{name}-{fingerprint[:FINGERPRINT_DIGITS]}")


def find_rerun(records: Records, name: str, algorithm: str, fingerprint: str) -> Rerun:
    """Return the rerun of the configuration `name` on data of this fingerprint, as the records know it."""
    name_of_rerun = rerun_name(name, fingerprint)
    runs = {run.name: run for run in records.runs()}
    others = [run for run in runs.values() if run.algorithm == algorithm and _is_rerun(run.name, name)]
    finished_runs = [run for run in others if run.status is RunStatus.FINISHED and run.name != name_of_rerun]
    latest = max(finished_runs, key=lambda run: (run.updated_at, run.name), default=None)
    return Rerun(
        name_of_rerun, runs[name_of_rerun].status if name_of_rerun in runs else None, latest.name if latest else None
    )


def _is_rerun(run: str, name: str) -> bool:
    suffix = run.removeprefix(f"{name}-")
    return run == name or (
        suffix != run and len(suffix) == FINGERPRINT_DIGITS and set(suffix) <= set("0123456789abcdef")
    )
