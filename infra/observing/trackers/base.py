"""The tracker interface: a place outside of this project where people follow the figures of their runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

Scalar = str | int | float | bool | None

PROJECT = "model-swarms"
"""The project or experiment that runs are filed under where the tracker's own settings name none."""


LAST = "evaluations/all"
"""The last of every iteration's figures: a tracker that holds it holds the whole iteration."""


@dataclass(frozen=True)
class TrackedRun:
    """The run that a tracker follows.

    Attributes:
        id: its name and when it was first started, hashed: no other run ever has it.
        name: its name, for people.
        folder: the run's folder.
        config: its configuration as the records have it, flat; secrets are not in it.

    """

    id: str
    name: str
    folder: Path
    config: Mapping[str, Scalar]


class Tracker(Protocol):
    """Follows one run.

    Obligations, checked by `tests/infra/observing/trackers/test_tracker_conformance.py`:

    - making a tracker for a run that it knows goes on with what is there;
    - a resumed run tells every iteration again, from the first: the tracker still shows each of them once;
    - nothing is asked of a terminal, written to standard output, or needed from the network, unless the tracker's own
      settings name a server.

    It may raise anything: whoever uses it says so once and goes on without it (`infra.observing.trackers.tracking`).
    """

    def log(self, iteration: int, figures: Mapping[str, float]) -> None:
        """Show the figures of one iteration."""
        ...

    def finish(self, summary: Mapping[str, Scalar]) -> None:
        """Show how the run ended; the summary names the report and the adapter by their paths."""
        ...

    def close(self) -> None:
        """Write what is not yet written; the run may have ended, or only stopped."""
        ...


def flatten(value: Mapping[str, Any], prefix: str = "") -> dict[str, Scalar]:
    """Return nested JSON as one mapping whose keys are joined by dots."""
    result: dict[str, Scalar] = {}
    for key, entry in value.items():
        if isinstance(entry, list):
            entry = {str(index): item for index, item in enumerate(entry)}
        if isinstance(entry, Mapping):
            result.update(flatten(entry, f"{prefix}{key}."))
        else:
            result[f"{prefix}{key}"] = entry
    return result
