"""Published files may be read by whom the umask says."""

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from experts.files import new_file_beside, publish_file, publish_folder, publish_text, read_json


@pytest.fixture(params=[0o022, 0o027, 0o077, 0o002], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def modes(folder: Path) -> set[tuple[bool, int]]:
    return {(path.is_dir(), stat.S_IMODE(path.stat().st_mode)) for path in folder.rglob("*")}


def test_what_is_published_follows_the_umask(tmp_path: Path, umask: int) -> None:
    secret = tmp_path / "private.json"
    secret.touch(0o600)
    root = tmp_path / "root"
    publish_text(root / "made" / "text.json", "{}")
    for path in (root / "weights.safetensors", root / "weights.safetensors"):  # the second time it replaces the first
        temporary = new_file_beside(path)
        save_file({"a": torch.zeros(2)}, temporary)
        publish_file(temporary, path)
        with publish_folder(root / "best") as folder:
            (folder / "part").mkdir(0o700)
            save_file({"a": torch.zeros(2)}, folder / "part" / "weights.safetensors")
            shutil.copy(secret, folder / "copy.json")
            (folder / "text.txt").write_text("x")
    assert modes(root) == {(True, 0o777 & ~umask), (False, 0o666 & ~umask)}
    assert len(list(root.rglob("*"))) == 8  # nothing else is left


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "config.json")
    with pytest.raises(OSError, match="it is a pipe and no file"):
        read_json(tmp_path / "config.json")
