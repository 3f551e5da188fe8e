"""How a run ended, and where it was when it was killed: read from its records."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from infra.records.store import Records
from infra.records.values import RunStatus
from tests.tiny_search import RUN


@dataclass(frozen=True)
class Ending:
    """What a finished run is known by, and what was wrong with its records (nothing, one hopes).

    Attributes:
        state: the SHA-256 of the last iteration's state.
        adapter: the SHA-256 of the best adapter's weights, or of the best mean's, or of the best system's
            file, which names its weights'.
        groups: key → how often that evaluation group was finished.

    """

    state: str
    adapter: str
    groups: dict[str, int]

    @property
    def repeated(self) -> int:
        """Evaluation groups that were finished more than once."""
        return sum(finished > 1 for finished in self.groups.values())


def ending(runs: Path) -> Ending:
    """Return how the run in the folder `runs` ended; one that is not finished raises `LookupError`."""
    with Records(f"sqlite:///{runs / '.swarm' / 'records.db'}") as records:
        records.check_integrity()
        record = records.run(RUN)
        if record.status is not RunStatus.FINISHED or record.summary is None:
            raise LookupError(f"the run is {record.status}: {record.error}")
        groups = {group.key: group.finished for group in records.evaluation_groups()}
    written = json.loads((runs / RUN / "summary.json").read_text())
    if written != record.summary:
        raise LookupError("summary.json and the records differ")
    names = ("best_adapter_sha256", "best_system_sha256", "weights_sha256")
    weights = next(written[name] for name in names if name in written)
    return Ending(written["state_sha256"], weights, groups)


def moment(runs: Path, engine_at_work: bool) -> str:
    """Say where a killed run was, from a copy of its database: looking must not repair what resuming has to."""
    database = runs / ".swarm" / "records.db"
    if not database.exists():
        return "before the run was recorded"
    probe = runs / "probe"
    probe.mkdir()
    for path in database.parent.glob("records.db*"):
        shutil.copy(path, probe)
    with Records(f"sqlite:///{probe / database.name}") as records:
        records.check_integrity()
        found = _place(records, engine_at_work)
    shutil.rmtree(probe)
    return found


def _place(records: Records, engine_at_work: bool) -> str:
    known = {run.name: run for run in records.runs()}
    if RUN not in known:
        return "before the run was recorded"
    if known[RUN].status is RunStatus.FINISHED:
        return "after the end"
    last = len(records.iterations(RUN)) > known[RUN].config["search"]["max_iterations"]
    if engine_at_work:
        return "inside evaluate, test split" if last else "inside evaluate, dev split"
    return "between, testing and publishing" if last else "between, searching"
