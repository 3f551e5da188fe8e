"""API keys stay where they were put: no message, log, output, file or database ever holds one."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import yaml
from prefect.settings import get_current_settings

import infra.scorers.endpoint
from cli.main import main
from infra.settings import Settings
from tasks.evaluation import evaluate
from tests.rating_server import RatingService, rating_service
from tests.tiny import make_base, make_expert

torch.set_num_threads(1)

JUDGE_KEY, PERSPECTIVE_KEY = "canary-of-the-judge-4711", "canary-of-perspective-4711"
SIZES = {"data": "data.json", "dev": 2, "test": 2, "max_new_tokens": 12}
TASKS = [
    {"kind": "judge", "name": "judged", "model": "judge-1", **SIZES},
    {"kind": "toxicity", "name": "toxic", "scorer": {"kind": "perspective"}, **SIZES},
]
KEYS = ("SWARM_JUDGE_API_KEY", JUDGE_KEY), ("SWARM_PERSPECTIVE_API_KEY", PERSPECTIVE_KEY)


@pytest.fixture
def service() -> Iterator[RatingService]:
    with rating_service() as running:
        yield running


@pytest.fixture
def world(tmp_path: Path, service: RatingService, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run's configuration, and an environment with keys, all below one folder that is the current one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(infra.scorers.endpoint, "_FIRST_PAUSE", 0.01)
    monkeypatch.setattr(evaluate, "retry_delay_seconds", [0, 0])
    for name, value in (
        ("SWARM_RUNS", str(tmp_path / "runs")),
        ("SWARM_CACHE", str(tmp_path / "cache")),
        ("SWARM_JUDGE_URL", f"{service.url}/v1"),
        ("SWARM_PERSPECTIVE_URL", service.url),
        ("SWARM_PERSPECTIVE_PER_SECOND", "1000"),
        *KEYS,
    ):
        monkeypatch.setenv(name, value)
    base = make_base(tmp_path / "base")
    experts = [str(make_expert(tmp_path / name, base, seed)) for seed, name in enumerate(("one", "two"))]
    examples = [{"question": f"{letter}?", "answer": letter} for letter in "abcd"]
    (tmp_path / "data.json").write_text(json.dumps({"dev": examples[:2], "test": examples[2:]}))
    config = {
        "name": "demo",
        "base_model": str(base),
        "experts": experts,
        "objective": {"tasks": TASKS},
        "search": {"particles": 2, "max_iterations": 1},
        "engine": {"device": "cpu", "workers": 1},
        "ensemble": 0,
    }
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(config))
    return tmp_path


def swarm(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["swarm", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def databases() -> list[Path]:
    """The files of Prefect's server, of which its write-ahead log is one."""
    url = get_current_settings().server.database.connection_url
    assert url is not None
    path = Path(url.get_secret_value().partition("///")[2])
    return [file for file in path.parent.glob(f"{path.name}*") if file.is_file()]


@pytest.mark.usefixtures("prefect_api")
def test_a_key_is_nowhere_after_runs_that_end_well_and_badly(
    world: Path,
    service: RatingService,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level("DEBUG"):
        assert swarm(monkeypatch, "run", "run.yaml", "--json") == 0
        service.broken = 401
        assert swarm(monkeypatch, "run", "run.yaml", "--set", "name=refused", "--set", "seed=1") == 2
        service.broken = 500
        assert swarm(monkeypatch, "run", "run.yaml", "--set", "name=failing", "--set", "seed=2") == 1
        service.broken = "not JSON"
        assert swarm(monkeypatch, "resume", "failing") == 1
        service.broken = None
        for arguments in (["report", "failing"], ["status", "refused", "--json"], ["history", "demo"], ["doctor"]):
            swarm(monkeypatch, *arguments)
    printed = capfd.readouterr()
    assert {f"Bearer {JUDGE_KEY}", PERSPECTIVE_KEY} == set(service.keys)
    shown = printed.out + printed.err + caplog.text + "".join(map(repr, (r.__dict__ for r in caplog.records)))
    files = [path for path in world.rglob("*") if path.is_file()] + databases()
    assert {"config.yaml", "run.log", "records.db", "report.html", "summary.json"} <= {path.name for path in files}
    for _, key in KEYS:
        assert key not in shown
        assert [str(path) for path in files if key.encode() in path.read_bytes()] == []


def test_settings_hide_keys_from_whoever_prints_them(world: Path) -> None:
    settings = Settings()
    shown = f"{settings} {settings!r} {settings.model_dump()} {settings.model_dump_json()}"
    assert "canary" not in shown
    assert settings.judge_api_key is not None
    assert settings.judge_api_key.get_secret_value() == JUDGE_KEY
