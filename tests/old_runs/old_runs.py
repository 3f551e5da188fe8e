"""The old runs of this folder, copied to where a test may go on with them."""

import hashlib
import json
import shutil
import sqlite3
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import torch

from experts.files import file_sha256
from swarm.canonical import canonical_json
from tests.crash.crash_records import Ending, ending
from tests.tiny_search import RUN

HERE = Path(__file__).parent
SHARED = "shared"
"""The folder with what all searches of a version share: base model, experts and data."""

OLD_RUNS = [path.parent for path in sorted(HERE.glob("*/*/run.yaml"))]
"""VERSION/ALGORITHM of every run that is kept."""


@dataclass(frozen=True)
class OldRun:
    """A copy of a run that was killed.

    Attributes:
        config: the file that it was started with.
        kept: the folder it was copied from.

    """

    config: Path
    kept: Path

    @property
    def runs(self) -> Path:
        """The runs folder."""
        return self.config.parent / "runs"

    @property
    def records(self) -> Path:
        """The database."""
        return self.runs / ".swarm" / "records.db"

    @property
    def expected(self) -> dict[str, str]:
        """The hashes that an uninterrupted run of the old version ended with, as `hashes` returns them."""
        expected: dict[str, str] = self._document["searches"][self.kept.name]
        return expected

    @property
    def made_on_such_a_machine(self) -> bool:
        """Whether libraries and CPU are those of the machine that made the run: then every bit is to be the same."""
        libraries: dict[str, str] = self._document["libraries"]
        same_cpu = self._document["cpu_capability"] == torch.backends.cpu.get_cpu_capability()
        return same_cpu and all(version(name) == release for name, release in libraries.items())

    def go_on(self) -> Ending:
        """Continue the run by its flow, as `swarm run` does; return how it ended."""
        from flows.searches import SEARCHES, load_run_config

        config = load_run_config(self.config)
        SEARCHES.of(config).load_flow()(config)
        return ending(self.runs)

    @property
    def _document(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads((self.kept.parent / "expected.json").read_text())
        return document


def hashes(runs: Path) -> dict[str, str]:
    """Return the hashes of the last state and of the best weights of the finished run in the folder `runs`.

    Of a system they are its file's, but for the path of its base model.
    """
    ended = ending(runs)
    system = runs / RUN / "best" / "system.json"
    if not system.exists():
        return {"state": ended.state, "weights": ended.adapter}
    assert file_sha256(system) == ended.adapter
    content = json.loads(system.read_text())
    content["base_model"]["name"] = "base"
    return {"state": ended.state, "weights": hashlib.sha256(canonical_json(content).encode()).hexdigest()}


def copy_run(kept: Path, folder: Path) -> OldRun:
    """Copy a run and what it needs into `folder`, where its records then say that its base model is."""
    shutil.copytree(kept.parent / SHARED, folder)
    shutil.copytree(kept, folder, dirs_exist_ok=True)
    run = OldRun(folder / "run.yaml", kept)
    edit_run(run.records, base_model=str((folder / "base").resolve()))
    return run


def use_recorded_engine(monkeypatch: pytest.MonkeyPatch, records: Path) -> None:
    """Let this process take its libraries, and the version of its engine, for those of the recorded run.

    The engine's identity contains them, and is a part of the run's and of every evaluation group's: a run of others
    is refused as changed, which is right, and has tests of its own.
    """
    engine = engine_of(records)
    libraries: dict[str, str] = engine["libraries"]
    monkeypatch.setattr("infra.engines.packed.identity.version", libraries.__getitem__)
    monkeypatch.setattr("infra.engines.packed.identity.ENGINE_VERSION", engine["version"])


def engine_of(records: Path) -> dict[str, Any]:
    """Return the identity of the engine of the recorded run."""
    with sqlite3.connect(records) as database:
        [(identity,)] = database.execute("SELECT identity FROM runs WHERE name = ?", [RUN])
    database.close()
    engine: dict[str, Any] = json.loads(json.loads(identity)["engine"])
    return engine


def edit_run(records: Path, **values: str) -> None:
    """Write values into the configuration of the recorded run."""
    with sqlite3.connect(records) as database:
        [(config,)] = database.execute("SELECT config FROM runs WHERE name = ?", [RUN])
        edited = json.dumps(json.loads(config) | values, sort_keys=True, separators=(",", ":"))
        database.execute("UPDATE runs SET config = ? WHERE name = ?", [edited, RUN])
    database.close()
