"""Settings: what is read from the environment, and what holds without it."""

from pathlib import Path

import pytest
from sqlalchemy import make_url

from infra.settings import Settings


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("SWARM_RUNS", "SWARM_DATABASE_URL", "SWARM_CACHE"):
        monkeypatch.delenv(name, raising=False)


def test_without_an_environment_everything_is_below_the_current_folder_and_the_home(tmp_path: Path) -> None:
    settings = Settings()
    assert settings.runs == tmp_path / "runs"
    assert settings.results == tmp_path / "runs" / ".swarm" / "results"
    assert settings.cache == tmp_path / "home" / ".cache" / "model-swarms"
    assert make_url(settings.records_url).database == str(tmp_path / "runs" / ".swarm" / "records.db")


def test_each_field_is_read_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWARM_RUNS", "~/elsewhere")
    monkeypatch.setenv("SWARM_CACHE", "cache")
    monkeypatch.setenv("SWARM_DATABASE_URL", "postgresql://me@host/name")
    settings = Settings()
    assert (settings.runs, settings.cache) == (tmp_path / "home" / "elsewhere", tmp_path / "cache")
    assert settings.records_url == "postgresql://me@host/name"


def test_an_empty_variable_is_as_good_as_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SWARM_RUNS", "SWARM_DATABASE_URL", "SWARM_CACHE"):
        monkeypatch.setenv(name, "")
    assert Settings().runs == tmp_path / "runs"
    assert Settings().database_url is None


@pytest.mark.parametrize(("value", "verify"), [("1", True), ("0", False), ("", False)])
def test_hashes_are_verified_where_the_environment_says_so(
    value: str, verify: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWARM_VERIFY_HASHES", value)
    assert Settings().verify_hashes is verify


def test_paths_stay_where_they_were_read_when_the_current_folder_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings()
    monkeypatch.chdir("/")
    assert settings.results == tmp_path / "runs" / ".swarm" / "results"


def test_a_runs_folder_with_characters_that_urls_give_a_meaning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWARM_RUNS", "/tmp/a b?c#d%41@e")
    assert make_url(Settings().records_url).database == "/tmp/a b?c#d%41@e/.swarm/records.db"


def test_the_password_of_a_database_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWARM_DATABASE_URL", "postgresql://me:secret@host/name")
    assert "secret" not in f"{Settings()!r} {Settings()} {Settings().model_dump_json()}"
