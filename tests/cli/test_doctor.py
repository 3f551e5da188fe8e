"""`swarm doctor`."""

from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from cli.machine import examination as machine
from infra.engines.config import ENGINE_PLUGINS
from infra.settings import Settings
from tests.cli.command_line import Command
from tests.distributions import install

NAMES = [
    "Python",
    "memory",
    "runs folder",
    "cache",
    "base model",
    "processor",
    "PyTorch",
    "engine: auto",
    "engine: vllm",
    "engine: ray",
    "Prefect",
    "Prefect API",
    "PostgreSQL driver",
    "plugins",
]


@pytest.fixture(autouse=True)
def no_prefect_server() -> object:
    with temporary_settings(restore_defaults={PREFECT_API_URL}):
        yield


def test_what_this_machine_has_is_shown_line_by_line(command: Command, settings: Settings) -> None:
    checks = command("doctor", "--json")
    output = command("doctor")
    assert (checks.code, output.code) == (0, 0)
    names = [check["name"] for check in checks.json]
    assert [name for name in names if "GPU" not in name] == NAMES
    assert "GPUs" in names or "GPU 0" in names
    assert {check["status"] for check in checks.json} <= {"ok", "optional"}
    assert all(check["remedy"] or check["status"] == "ok" or check["name"] == "GPUs" for check in checks.json)
    assert len(output.lines) == len(checks.json)
    assert output.lines[0].split()[:2] == ["ok", "Python"]
    assert not settings.runs.exists()


def test_a_runs_folder_that_cannot_be_written_is_missing_with_its_remedy(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SWARM_RUNS", str(tmp_path / "file" / "runs"))
    outcome = command("doctor", "--json")
    [check] = [check for check in outcome.json if check["name"] == "runs folder"]
    assert outcome.code == 1
    assert check == {
        "name": "runs folder",
        "status": "missing",
        "found": f"{tmp_path}/file/runs can't be written",
        "remedy": "set SWARM_RUNS to a folder that you may write",
    }
    assert f"missing  runs folder       {check['found']} → {check['remedy']}" in command("doctor").lines


def test_a_prefect_server_that_does_not_answer_is_missing(command: Command) -> None:
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}):
        outcome = command("doctor", "--json")
    [check] = [check for check in outcome.json if check["name"] == "Prefect API"]
    assert outcome.code == 1
    assert check["status"] == "missing"
    assert check["found"].startswith("http://127.0.0.1:9/api does not answer (")
    assert check["remedy"] == "start it with 'prefect server start', or unset PREFECT_API_URL"


def test_a_disk_without_space_is_missing(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_LEAST_DISK", 1 << 80)
    checks = {check.name: check for check in machine.examine(settings)}
    assert checks["runs folder"].status == "missing"
    assert checks["runs folder"].remedy == "free some space, or set SWARM_RUNS to a folder on another disk"


def test_a_converted_base_model_is_found(settings: Settings) -> None:
    converted = settings.cache / "base" / "smollm2-135m-instruct"
    converted.mkdir(parents=True)
    checks = {check.name: check for check in machine.examine(settings)}
    assert checks["base model"] == machine.Check("base model", "ok", f"smollm2-135m-instruct in {converted}")


def test_what_plugins_add_is_listed_with_what_is_wrong_with_it(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    code = """
from infra.engines.base import EngineKind

print("imported")
ECHO = EngineKind("echo", None, None)
"""
    points = {"echo": "engines_of_doctor:ECHO", "silence": "no_such_module:SILENCE"}
    install(site, "sounds", ENGINE_PLUGINS.group, points, engines_of_doctor=code)
    monkeypatch.syspath_prepend(str(site))
    ended = command("doctor", "--json")
    found = "model_swarms.engines of sounds 1.0"
    broken = f"{found}: no_such_module:SILENCE can't be loaded (ModuleNotFoundError: No module named 'no_such_module')"
    assert (ended.code, ended.err) == (0, "imported\n")
    assert [check for check in ended.json if check["name"].startswith("plugin")] == [
        {"name": "plugin: echo", "status": "ok", "found": found, "remedy": ""},
        {
            "name": "plugin: silence",
            "status": "optional",
            "found": broken,
            "remedy": "repair, update or uninstall it",
        },
    ]
    assert command("doctor").lines[-2:] == [
        f"ok       plugin: echo      {found}",
        f"optional plugin: silence   {broken} → repair, update or uninstall it",
    ]


def test_without_plugins_one_line_says_so(command: Command) -> None:
    assert command("doctor").lines[-1] == "ok       plugins           none installed"
