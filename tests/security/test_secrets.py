"""A password in SWARM_DATABASE_URL stays there: it is in no message, no output and no file."""

import json
import sys
from pathlib import Path

import pytest
import yaml

from cli.main import main
from infra.settings import Settings
from tests.tiny import make_base, make_expert

SECRET = "hunter2canary"


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SWARM_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("SWARM_CACHE", str(tmp_path / "cache"))
    base = make_base(tmp_path / "base")
    experts = [str(make_expert(tmp_path / name, base, seed)) for seed, name in enumerate(("one", "two"))]
    examples = [{"question": f"{letter}?", "answer": letter} for letter in "abcd"]
    (tmp_path / "data.json").write_text(json.dumps({"dev": examples[:2], "test": examples[2:]}))
    tasks = [{"kind": "exact_match", "data": "data.json"}]
    fields = {"name": "demo", "base_model": str(base), "experts": experts, "objective": {"tasks": tasks}}
    path = tmp_path / "run.yaml"
    path.write_text(yaml.safe_dump(fields))
    return path


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://me:{SECRET}@127.0.0.1:1/records",
        f"postgresql+psycopg://me:{SECRET}@127.0.0.1:1/records?connect_timeout=1",
        f"postgresql://127.0.0.1:1/records?user=me&password={SECRET}",
        f"mysql://me:{SECRET}@127.0.0.1/records",
        f"postgresql://me:{SECRET}@127.0.0.1:port/records",
        f"postgresql://me:first@{SECRET}@127.0.0.1:1/records",
        f"me:{SECRET}@127.0.0.1",
        f"postgresql+{SECRET}://127.0.0.1/records",
    ],
)
@pytest.mark.parametrize(
    "arguments", [["run", "run.yaml"], ["resume", "demo"], ["status"], ["status", "demo", "--json"], ["doctor"]]
)
def test_a_password_is_never_shown(
    config: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    url: str,
    arguments: list[str],
) -> None:
    monkeypatch.setenv("SWARM_DATABASE_URL", url)
    monkeypatch.setattr(sys, "argv", ["swarm", *arguments])
    with caplog.at_level("DEBUG"), pytest.raises(SystemExit) as ended:
        main()
    printed = capsys.readouterr()
    assert arguments == ["doctor"] or ended.value.code == 2
    assert arguments == ["doctor"] or len(printed.err.splitlines()) == 1
    assert SECRET not in printed.out + printed.err + caplog.text
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]


def test_settings_hide_a_password_from_whoever_prints_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWARM_DATABASE_URL", f"postgresql://me:{SECRET}@host/records")
    settings = Settings()
    assert SECRET not in f"{settings} {settings!r} {settings.model_dump()} {settings.model_dump_json()}"
    assert settings.database_url is not None
    assert SECRET in settings.database_url.get_secret_value()
