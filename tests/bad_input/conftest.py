"""The real command in this process, in a world of its own for each test."""

import shutil
import sys
from pathlib import Path

import pytest
import torch

from cli.main import main
from tests.bad_input.broken_world import BreakableWorld, Refused, contents, make_world

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def whole_world(tmp_path_factory: pytest.TempPathFactory) -> BreakableWorld:
    return make_world(tmp_path_factory.mktemp("whole"))


@pytest.fixture
def world(whole_world: BreakableWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BreakableWorld:
    """A copy of the whole world that the test may break; the command's current folder and settings are in it."""
    made = BreakableWorld(tmp_path / "world")
    shutil.copytree(whole_world.folder, made.folder)
    made.edit_config(base_model=str(made.base))
    for path in (made.folder, *made.folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    monkeypatch.chdir(made.folder)
    monkeypatch.setenv("SWARM_RUNS", str(made.runs))
    monkeypatch.setenv("SWARM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.delenv("SWARM_DATABASE_URL", raising=False)
    return made


@pytest.fixture
def refused(world: BreakableWorld, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Refused:
    def run(*arguments: object) -> str:
        before = contents(world.folder)
        monkeypatch.setattr(sys, "argv", ["swarm", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        assert (ended.value.code, printed.out) == (2, "")
        assert contents(world.folder) == before, "a refused command wrote or lost something"
        [line] = printed.err.splitlines()
        assert line.startswith("error: ")
        return line.removeprefix("error: ")

    return run
