"""The folder of a run: its names, what is written, what is refused."""

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from infra.files.run_folder import RunFolder
from swarm.errors import InputError


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path, "first")


def refusal(folder: RunFolder) -> str:
    with pytest.raises(InputError) as caught:
        folder.read_config()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_everything_lies_where_the_guide_says(tmp_path: Path, folder: RunFolder) -> None:
    names = ["config.yaml", "best", "summary.json", "report.html", "run.log"]
    paths = [folder.config, folder.best, folder.summary, folder.report, folder.log]
    assert paths == [tmp_path / "first" / name for name in names]
    assert not folder.path.exists()


@pytest.mark.parametrize("name", ["", ".", "..", "../first", "a/b", "/etc", ".swarm", "a\n", "-x", "a" * 65])
def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError) as caught:
        RunFolder(tmp_path, name)
    assert str(caught.value) == (
        f"the run name {name!r} is not allowed: use 1 to 64 letters, digits, '-' and '_', "
        "beginning with a letter or a digit"
    )


def test_a_link_out_of_the_runs_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "runs" / "first").symlink_to(tmp_path / "outside")
    with pytest.raises(InputError, match=r"is a link to .*/outside, outside of the runs folder"):
        RunFolder(tmp_path / "runs", "first")


def test_a_runs_folder_that_is_itself_a_link_is_fine(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "runs").symlink_to(tmp_path / "disk")
    RunFolder(tmp_path / "runs", "first").write_summary({"run": "first"})
    assert (tmp_path / "disk" / "first" / "summary.json").exists()


def test_a_configuration_reads_back_equal_and_in_order(folder: RunFolder) -> None:
    config = {"z": 1e-05, "a": {"text": "yes", "number": "1e3", "none": None}, "é": ["x: y", "l\nm", True, 10**20]}
    folder.write_config(config)
    assert folder.read_config() == config
    assert list(folder.read_config()) == ["z", "a", "é"]


def test_a_configuration_holds_plain_values_only(folder: RunFolder) -> None:
    with pytest.raises(yaml.YAMLError):
        folder.write_config({"path": Path("x")})
    assert not folder.config.exists()


def test_a_missing_configuration(folder: RunFolder) -> None:
    assert refusal(folder) == (
        f"cannot read {folder.config}: No such file or directory: start the run again from your own configuration file"
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"a: 1\nb: [1,\n", "line 3, column 1: expected the node content, but found '<stream end>'"),
        (
            b"a: !!python/object/apply:os.system ['true']\n",
            "line 1, column 4: could not determine a constructor for",
        ),
        (b"a: \xff\n", "'utf-8' codec can't decode byte 0xff"),
        (b"a: \x00\n", "unacceptable character"),
        (b"- 1\n", "holds list and not fields"),
        (b"", "holds NoneType and not fields"),
    ],
)
def test_a_damaged_configuration(folder: RunFolder, content: bytes, reason: str) -> None:
    folder.create()
    folder.config.write_bytes(content)
    assert reason in refusal(folder)


def test_equal_summaries_are_equal_bytes(folder: RunFolder) -> None:
    folder.write_summary({"b": 0.1, "a": {"é": None}})
    first = folder.summary.read_bytes()
    folder.write_summary({"a": {"é": None}, "b": 0.1})
    assert folder.summary.read_bytes() == first == b'{\n  "a": {\n    "\xc3\xa9": null\n  },\n  "b": 0.1\n}\n'


def test_a_summary_that_is_not_json_leaves_the_earlier_one(folder: RunFolder) -> None:
    folder.write_summary({"test": 0.5})
    with pytest.raises(ValueError, match="Out of range float"):
        folder.write_summary({"test": float("nan")})
    assert json.loads(folder.summary.read_text()) == {"test": 0.5}
    assert [path.name for path in folder.path.iterdir()] == ["summary.json"]


@pytest.fixture
def read_only_root() -> Iterator[Path]:
    """A folder that the user of the test may read only; a superuser is another user until the test ends."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o555)
        superuser = os.geteuid() == 0
        if superuser:
            os.seteuid(65534)
        try:
            yield Path(name)
        finally:
            if superuser:
                os.seteuid(0)
            Path(name).chmod(0o755)


def test_a_runs_folder_that_may_not_be_written(read_only_root: Path) -> None:
    folder = RunFolder(read_only_root, "first")
    remedy = "Permission denied: this user may not write there: change its permissions or choose another folder"
    for path, write in [
        (folder.path, folder.create),
        (folder.config, lambda: folder.write_config({})),
        (folder.summary, lambda: folder.write_summary({})),
    ]:
        with pytest.raises(InputError) as caught:
            write()
        assert str(caught.value) == f"cannot write {path}: {remedy}"
