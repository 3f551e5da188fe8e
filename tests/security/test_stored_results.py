"""Task results are data: nothing that lies where they are stored is read as code, or believed."""

import json
import logging
import sys
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from prefect.filesystems import LocalFileSystem
from prefect.results import ResultStore

from tasks.result_files import ResultFiles, ResultSerializer
from tests.security.finished_runs import TinyRun
from tests.security.planted_results import MODULE, OBEYED, PAYLOADS, Payload, write_module

REPLACED = "it was not used, and is replaced"
KEY = "task/v1/key"
VALUE = {"a": [1, 2.5, None]}


@pytest.fixture
def marker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that is there once anything planted was obeyed."""
    write_module(tmp_path, tmp_path / "marker")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, MODULE, raising=False)
    return tmp_path / "marker"


@pytest.fixture(params=["folder", "bucket"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where results are stored: a folder, or what fsspec takes for another machine's storage."""
    (tmp_path / "results").mkdir()
    return f"{'file://' if request.param == 'bucket' else ''}{tmp_path / 'results'}"


def store(root: str) -> ResultStore:
    return ResultStore(
        result_storage=ResultFiles(root=root), serializer=ResultSerializer(), cache_result_in_memory=False
    )


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
def test_a_planted_result_is_no_result_and_is_replaced(
    payload: Payload, root: str, marker: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "results" / KEY
    file.parent.mkdir(parents=True)
    file.write_bytes(payload(marker))
    results = store(root)
    assert not results.exists(KEY)
    with pytest.raises(ValueError, match="not read"):
        results.read(KEY)
    with caplog.at_level(logging.WARNING):
        results.write(key=KEY, obj=VALUE)
    assert not marker.exists()
    [line] = [record.message for record in caplog.records]
    assert line.startswith(f"task result {KEY} ") and line.endswith(REPLACED) and "\n" not in line
    record = json.loads(file.read_text())
    assert record["metadata"]["serializer"] == {"type": "model-swarms"} and json.loads(record["result"]) == VALUE


@pytest.mark.parametrize("name", OBEYED)
def test_prefects_own_storage_would_obey_it(name: str, marker: Path, tmp_path: Path) -> None:
    """Else the tests here show nothing."""
    (tmp_path / "file").write_bytes(OBEYED[name](marker))
    ResultStore(result_storage=LocalFileSystem(basepath=str(tmp_path))).exists("file")
    assert marker.exists()


def test_what_is_there_already_is_left_alone_if_it_is_the_same(
    root: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    results, file = store(root), tmp_path / "results" / KEY
    results.write(key=KEY, obj=VALUE)
    before = file.stat()
    results.write(key=KEY, obj=VALUE)
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    earlier = {"metadata": {"serializer": {"type": "json"}, "storage_key": str(file)}, "result": json.dumps(VALUE)}
    file.write_text(json.dumps(earlier))
    results.write(key=KEY, obj=VALUE)
    assert json.loads(file.read_text())["metadata"]["serializer"] == {"type": "model-swarms"}
    assert not caplog.records


@pytest.mark.parametrize("kind", ["link", "folder", "link above"])
def test_what_is_no_file_costs_a_line_and_nothing_else(
    kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    outside, file = tmp_path / "outside", tmp_path / "results" / KEY
    outside.mkdir()
    (outside / "precious").write_text("as it was")
    if kind == "link above":
        file.parents[2].mkdir()
        file.parents[1].symlink_to(outside)
    else:
        file.parent.mkdir(parents=True)
        file.symlink_to(outside / "precious") if kind == "link" else (file / "precious").mkdir(parents=True)
    with caplog.at_level(logging.WARNING):
        store(str(tmp_path / "results")).write(key=KEY, obj=VALUE)
    assert caplog.records
    assert [path.name for path in outside.rglob("*") if path.is_file()] == ["precious"]
    assert (outside / "precious").read_text() == "as it was"
    assert kind != "link" or json.loads(json.loads(file.read_text())["result"]) == VALUE


def test_planted_results_of_every_task_run_nothing_and_change_nothing(
    stopped_run: TinyRun, marker: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted = stopped_run.results
    for path, payload in zip(planted, cycle(PAYLOADS.values()), strict=False):
        path.write_bytes(payload(marker))
    stopped_run.assert_ends_the_same(monkeypatch)
    assert not marker.exists()
    assert sum(line.endswith(REPLACED) for line in stopped_run.log) == len(planted)
    assert stopped_run.results == planted
    assert all(json.loads(json.loads(path.read_text())["result"]) != {} for path in planted)


def test_wrong_values_in_the_results_of_every_task_change_nothing(
    stopped_run: TinyRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in stopped_run.results:
        record = json.loads(path.read_text())
        wrong = altered(json.loads(record["result"]))
        path.write_text(json.dumps({**record, "result": json.dumps(wrong)}))
    planted = len(stopped_run.results)
    stopped_run.assert_ends_the_same(monkeypatch)
    assert sum(line.endswith(f"held another value: {REPLACED}") for line in stopped_run.log) == planted


def altered(value: Any) -> Any:
    """Return a value of the same form in which everything is another: a search that stops at once, better scores."""
    match value:
        case None:
            return "patience"
        case bool():
            return not value
        case int() | float():
            return value + 1
        case str():
            return value[::-1] + "0"
        case list():
            return [altered(item) for item in value]
        case _:
            return {name: altered(item) for name, item in value.items()}
