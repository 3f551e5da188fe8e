"""The search that is killed: six particles and three experts of a tiny random Llama, in a folder of its own."""

import json
import random
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from tiny import make_base, make_expert

from infra.records.store import Records
from infra.records.values import RunStatus

RUN = "crash"
EXPERTS = ("one", "two", "three")
CONFIG: dict[str, Any] = {
    "name": RUN,
    "seed": 1,
    "base_model": "base",
    "experts": list(EXPERTS),
    "include_base": True,
    "space": "product",
    "objective": {
        "tasks": [{"kind": "exact_match", "data": "data.json", "match": "reference", "max_new_tokens": 16}],
    },
    "search": {"particles": 6, "max_iterations": 5, "patience": 10, "step_length": 1.0, "restart_patience": 2},
    "ensemble": 3,
    "engine": {"device": "cpu", "group_size": 3, "workers": 1, "token_budget": 128},
}


@dataclass(frozen=True)
class Ending:
    """What a finished run is known by, and what was wrong with its records (nothing, one hopes).

    Attributes:
        state: the SHA-256 of the last iteration's state.
        adapter: the SHA-256 of the best adapter's weights.
        groups: key → how often that evaluation group was finished.

    """

    state: str
    adapter: str
    groups: dict[str, int]

    @property
    def repeated(self) -> int:
        """Evaluation groups that were finished more than once."""
        return sum(finished > 1 for finished in self.groups.values())


def make_search(folder: Path) -> Path:
    """Write base model, experts, data and configuration into `folder`; return the configuration's path."""
    base = make_base(folder / "base")
    for seed, name in enumerate(EXPERTS):
        make_expert(folder / name, base, seed, scale=0.4)
    (folder / "data.json").write_text(json.dumps(_data(random.Random(0))))
    config = folder / "run.yaml"
    config.write_text(yaml.safe_dump(CONFIG))
    return config


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
    return Ending(written["state_sha256"], written["best_adapter_sha256"], groups)


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
    last = len(records.iterations(RUN)) > CONFIG["search"]["max_iterations"]
    if engine_at_work:
        return "inside evaluate, test split" if last else "inside evaluate, dev split"
    return "between, testing and publishing" if last else "between, searching"


def _data(draws: random.Random) -> dict[str, Any]:
    def examples(count: int) -> list[dict[str, str]]:
        numbers = [(draws.randrange(1000), draws.randrange(1000)) for _ in range(count)]
        return [{"question": f"{a} plus {b}?", "answer": draws.choice("abcdefghij")} for a, b in numbers]

    return {"dataset": "letters", "dev": examples(12), "test": examples(12)}
