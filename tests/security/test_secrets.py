"""A password in SWARM_DATABASE_URL stays there: it is in no message, no output and no file."""

import json
import sys
from pathlib import Path

import pytest
import yaml
from prefect.settings import PREFECT_API_URL, temporary_settings

from cli.main import main
from infra.settings import Settings, without_password
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


NUMBERS = [name for name, field in Settings.model_fields.items() if field.annotation in (bool, int, float, int | None)]


@pytest.mark.parametrize(
    ("field", "value"),
    [*((name, SECRET) for name in NUMBERS), ("serve_key", SECRET), ("results", f"s3://me:{SECRET}@bucket/folder")],
)
@pytest.mark.parametrize("arguments", [["run", "run.yaml"], ["status"], ["doctor"], ["serve", "demo"]])
def test_an_unusable_setting_is_one_line_without_its_value(
    config: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    field: str,
    value: str,
    arguments: list[str],
) -> None:
    variable = f"SWARM_{field.upper()}"
    monkeypatch.setenv(variable, value)
    monkeypatch.setattr(sys, "argv", ["swarm", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    printed = capsys.readouterr()
    assert (ended.value.code, len(printed.err.splitlines())) == (2, 1)
    assert printed.err.startswith(f"error: {variable}: ")
    assert SECRET not in printed.out + printed.err


@pytest.mark.parametrize(
    "url",
    [
        f"http://me:{SECRET}@127.0.0.1:9/api",
        f"http://127.0.0.1:9/api?key={SECRET}",
        f"http://me:{SECRET}@127.0.0.1:port/api",
        f"http://127.0.0.1:9/api#{SECRET}",
        f"me:{SECRET}@127.0.0.1",
    ],
)
@pytest.mark.parametrize("arguments", [["doctor"], ["deploy", "run.yaml"], ["run", "run.yaml"]])
def test_a_password_in_the_address_of_prefects_api_is_never_shown(
    config: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    url: str,
    arguments: list[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["swarm", *arguments])
    with temporary_settings({PREFECT_API_URL: url}), pytest.raises(SystemExit) as ended:
        main()
    printed = capsys.readouterr()
    assert ended.value.code == (1 if arguments == ["doctor"] else 2)
    assert SECRET not in printed.out + printed.err
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://127.0.0.1:4200/api", "http://127.0.0.1:4200/api"),
        ("http://me:pw@host:1/a?b=c#d", "http://me:…@host:1/a?…#…"),
        ("http://me@host/", "http://me@host/"),
        ("abfs://container@account.example/folder", "abfs://container@account.example/folder"),
        ("http://[::1/", "…"),
        ("me:pw@host", "…"),
    ],
)
def test_an_address_is_shown_without_what_may_be_a_password(url: str, shown: str) -> None:
    assert without_password(url) == shown
