"""Runs that can't be made, continued or published: names, other processes, folders, disks."""

import os
import resource
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from infra.records.store import Records
from infra.records.values import RunStatus
from infra.settings import Settings
from tests.bad_input.broken_world import BreakableWorld, Refused, record_run
from tests.tiny import make_expert

LOCK_HOLDER = """
import signal, sys
from pathlib import Path
from infra.files.locks import run_lock
with run_lock(Path(sys.argv[1])):
    sys.stdout.write("held\\n"); sys.stdout.flush()
    signal.pause()
"""


def test_a_name_that_has_another_configuration_shows_the_difference(world: BreakableWorld, refused: Refused) -> None:
    record_run(world)
    assert refused("run", world.config, "--set", "search.particles=5", "--set", "seed=3") == (
        "run 'demo' exists and differs: search.particles: 4 → 5; seed: 0 → 3: "
        "choose another name, or put these back as they were"
    )


def test_a_name_whose_run_had_another_expert(world: BreakableWorld, refused: Refused) -> None:
    record_run(world)
    make_expert(world.expert("two"), world.base, seed=9)
    message = refused("run", world.config)
    assert message.startswith("run 'demo' exists and differs: identity.expert two: ")
    assert message.count(" → ") == 1


def test_a_name_whose_run_had_other_data(world: BreakableWorld, refused: Refused) -> None:
    record_run(world)
    world.edit_data(lambda data: data["dev"][0].update(answer="another"))
    message = refused("run", world.config)
    assert message.startswith("run 'demo' exists and differs: identity.objective: ")
    assert message.count(" → ") == 1


@pytest.mark.parametrize("command", ["resume", "stop"])
def test_a_finished_run_has_nothing_to_resume_or_stop(world: BreakableWorld, refused: Refused, command: str) -> None:
    record_run(world, status=RunStatus.FINISHED)
    assert refused(command, "demo").startswith(f"run 'demo' is finished: there is nothing to {command}")


@pytest.mark.parametrize("command", ["resume", "stop", "status", "history", "report"])
def test_a_run_that_there_is_not_is_answered_with_the_nearest(
    world: BreakableWorld, refused: Refused, command: str
) -> None:
    record_run(world)
    assert refused(command, "dmo") == "there is no run 'dmo': did you mean 'demo'?"


@pytest.mark.parametrize("command", ["resume", "stop", "status", "history", "report"])
def test_nothing_is_made_where_no_run_was_ever_made(world: BreakableWorld, refused: Refused, command: str) -> None:
    assert refused(command, "demo") == (
        f"there are no runs in {world.runs}: start one with 'swarm run CONFIG', or set SWARM_RUNS"
    )


@pytest.mark.parametrize("name", ["../world", "/etc", ""])
@pytest.mark.parametrize("command", ["resume", "stop", "status", "history", "report"])
def test_a_name_that_leads_elsewhere_is_no_run(
    world: BreakableWorld, refused: Refused, command: str, name: str
) -> None:
    record_run(world)
    assert refused(command, name).startswith(f"there is no run {name!r}: ")


def test_a_run_whose_configuration_was_damaged(world: BreakableWorld, refused: Refused) -> None:
    record_run(world)
    config = world.runs / "demo" / "config.yaml"
    config.write_text("name: [")
    message = refused("resume", "demo")
    assert message.startswith(f"cannot read {config}: line 1, column ")
    assert message.endswith(": start the run again from your own configuration file")


@pytest.mark.parametrize("name", ["other", "../demo", None, ["demo"]])
@pytest.mark.parametrize("arguments", [["resume", "demo"], ["ask", "demo", "Why?"], ["serve", "demo"]])
def test_a_folder_with_the_configuration_of_another_run(
    world: BreakableWorld, refused: Refused, arguments: list[str], name: object
) -> None:
    record_run(world)
    config = world.runs / "demo" / "config.yaml"
    config.write_text(yaml.safe_dump({**yaml.safe_load(config.read_text()), "name": name}))
    assert refused(*arguments) == (
        f"{config}: field 'name': {name!r} is another run than 'demo': put the folder back to where it was, or start "
        "run 'demo' again from its own configuration file"
    )
    with Records(Settings().records_url) as records:
        assert [run.name for run in records.runs()] == ["demo"]


def test_a_folder_of_the_same_name_from_elsewhere(world: BreakableWorld, refused: Refused) -> None:
    record_run(world)
    config = world.runs / "demo" / "config.yaml"
    config.write_text(yaml.safe_dump({**yaml.safe_load(config.read_text()), "seed": 8}))
    message = refused("resume", "demo")
    assert message.startswith("run 'demo' exists and differs: ") and "seed: 0 → 8" in message


def test_a_folder_under_another_name(world: BreakableWorld, refused: Refused) -> None:
    record_run(world)
    (world.runs / "demo").rename(world.runs / "renamed")
    assert refused("resume", "renamed").startswith("there is no run 'renamed': ")
    assert refused("resume", "demo").endswith(": start the run again from your own configuration file")


@pytest.mark.parametrize("arguments", [["run", "run.yaml"], ["resume", "demo"]])
def test_a_run_that_another_process_drives(world: BreakableWorld, refused: Refused, arguments: list[str]) -> None:
    record_run(world)
    command = [sys.executable, "-c", LOCK_HOLDER, str(world.runs / "demo")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        try:
            assert refused(*arguments) == (
                f"run 'demo' is driven by process {holder.pid} on {socket.gethostname()}: "
                "wait for it, or end it with 'swarm stop demo'"
            )
            assert holder.poll() is None
        finally:
            holder.kill()


def test_a_file_in_place_of_the_runs_folder(world: BreakableWorld, refused: Refused) -> None:
    world.runs.write_text("mine")
    assert refused("run", world.config) == (
        f"cannot write {world.runs}/.swarm: Not a directory: check the folder and its disk"
    )


def test_a_runs_folder_that_may_only_be_read(
    world: BreakableWorld, refused: Refused, read_only: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWARM_RUNS", str(read_only / "runs"))
    with _as_a_plain_user(world.folder):
        message = refused("run", world.config)
    assert message == (
        f"cannot write {read_only}/runs/.swarm: Permission denied: this user may not write there: "
        "change its permissions or choose another folder"
    )
    assert list(read_only.iterdir()) == []


def test_an_export_into_a_folder_that_may_only_be_read(
    world: BreakableWorld, refused: Refused, read_only: Path
) -> None:
    record_run(world, iterations=1)
    world.runs.chmod(0o777)
    for path in world.runs.rglob("*"):
        path.chmod(0o777 if path.is_dir() else 0o666)
    with _as_a_plain_user(world.folder):
        message = refused("export", "demo", read_only / "best")
    assert message == (
        f"cannot write {read_only}/best: Permission denied: this user may not write there: "
        "change its permissions or choose another folder"
    )
    assert list(read_only.iterdir()) == []


def test_a_disk_that_is_full_while_weights_are_published(
    world: BreakableWorld, refused: Refused, tmp_path: Path
) -> None:
    for seed, name in enumerate(("one", "two", "three")):
        make_expert(world.expert(name), world.base, seed, rank=2000)  # 1.8 MB of weights, far more than the records
    record_run(world, iterations=1)
    target = tmp_path / "best"
    with _no_file_larger_than(1_000_000):
        message = refused("export", "demo", target)
    assert message.startswith(f"cannot write {tmp_path}/")
    assert message.endswith(
        ": File too large: the file system or your limit (ulimit -f) allows no file so large: "
        "raise it or choose another folder"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["world"]


@pytest.fixture
def read_only() -> Iterator[Path]:
    """An empty folder that nobody but a superuser may write; not in pytest's, which only its owner may enter."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o555)
        yield folder
        folder.chmod(0o755)


@contextmanager
def _as_a_plain_user(needed: Path) -> Iterator[None]:
    """Be another user if the test is run by a superuser, who can reach `needed` and Python."""
    if os.geteuid() != 0:
        yield
        return
    reached = (needed, Path(sys.prefix), Path(sys.base_prefix))
    closed = {folder for path in reached for folder in path.parents if not folder.stat().st_mode & 0o001}
    modes = {folder: folder.stat().st_mode for folder in closed}
    for folder in closed:
        folder.chmod(modes[folder] | 0o011)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)
        for folder, mode in modes.items():
            folder.chmod(mode)


@contextmanager
def _no_file_larger_than(size: int) -> Iterator[None]:
    """Let the kernel refuse to write more: what a full disk does, without the rights to make one.

    safetensors and Python report it in the way of a full disk (ENOSPC), only the number of the error is another.
    """
    before, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (before, most))
