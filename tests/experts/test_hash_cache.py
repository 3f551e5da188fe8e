"""Hashes of models that are kept, and when they are computed anew."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

import experts.base_models
import experts.full_models
import experts.hash_cache
from experts.base_models import BaseModel, resolve_base_model
from experts.files import file_sha256
from experts.full_models import read_full_model
from experts.hash_cache import HashCache
from swarm.canonical import content_hash
from swarm.errors import InputError
from tests.tiny import make_base


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "weights"
    path.write_bytes(b"weights")
    return path


class Hashing:
    """Hashes a file through a cache, and counts how often it was read."""

    def __init__(self, folder: Path, file: Path, verify: bool = False, later: float = 10) -> None:
        self.cache = HashCache(folder, verify, lambda: time.time() + later)
        self.file = file
        self.reads = 0

    def __call__(self, kind: str = "bytes") -> str:
        return self.cache.sha256(kind, [self.file], self._read)

    def _read(self) -> str:
        self.reads += 1
        return file_sha256(self.file)


@pytest.fixture
def hashing(tmp_path: Path, file: Path) -> Hashing:
    return Hashing(tmp_path / "cache" / "hashes", file)


def entry(hashing: Hashing) -> Path:
    assert hashing.cache.folder is not None
    (path,) = hashing.cache.folder.iterdir()
    return path


def test_a_file_that_does_not_change_is_read_once(hashing: Hashing, file: Path) -> None:
    assert [hashing(), hashing()] == [file_sha256(file)] * 2
    assert hashing.reads == 1
    again = Hashing(entry(hashing).parent, file)
    assert (again(), again.reads) == (file_sha256(file), 0)


def test_a_link_is_the_file_that_it_leads_to(hashing: Hashing, file: Path) -> None:
    hashing()
    hashing.file = file.with_name("link")
    hashing.file.symlink_to(file)
    assert (hashing(), hashing.reads) == (file_sha256(file), 1)


def test_each_kind_of_hash_is_kept_for_itself(hashing: Hashing) -> None:
    hashing("bytes")
    hashing("other bytes")
    assert hashing.reads == 2


def rewritten(file: Path) -> None:
    file.write_bytes(b"WEIGHTS")


def replaced(file: Path) -> None:
    new = file.with_name("new")
    new.write_bytes(b"WEIGHTS")
    new.replace(file)


@pytest.mark.parametrize("change", [rewritten, replaced])
def test_a_change_is_seen_though_size_and_time_are_as_before(
    hashing: Hashing, file: Path, change: Callable[[Path], None]
) -> None:
    before, status = hashing(), file.stat()
    change(file)
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert (file.stat().st_size, file.stat().st_mtime_ns) == (status.st_size, status.st_mtime_ns)
    assert hashing() == file_sha256(file) != before
    assert hashing.reads == 2


def test_a_hash_is_verified_on_demand_and_replaced(hashing: Hashing, file: Path) -> None:
    hashing()
    kept = json.loads(entry(hashing).read_text())
    wrong = {"files": kept["files"], "sha256": "0" * 64}
    entry(hashing).write_text(json.dumps({**wrong, "entry_sha256": content_hash(wrong)}))
    assert hashing() == "0" * 64
    verifying = Hashing(entry(hashing).parent, file, verify=True)
    assert [verifying(), verifying(), hashing()] == [file_sha256(file)] * 3
    assert (verifying.reads, hashing.reads) == (2, 1)


def test_what_cannot_be_verified_is_forgotten(hashing: Hashing, file: Path) -> None:
    hashing()

    def damaged() -> str:
        raise InputError("damaged")

    with pytest.raises(InputError, match="damaged"):
        HashCache(entry(hashing).parent, verify=True).sha256("bytes", [file], damaged)
    hashing()
    assert hashing.reads == 2


def test_a_file_that_changed_just_now_is_not_kept(tmp_path: Path, file: Path) -> None:
    hashing = Hashing(tmp_path / "hashes", file, later=1)
    assert [hashing(), hashing()] == [file_sha256(file)] * 2
    assert hashing.reads == 2
    assert not (tmp_path / "hashes").exists()


def test_a_file_that_changes_while_it_is_read_is_not_kept(tmp_path: Path, file: Path) -> None:
    cache = HashCache(tmp_path / "hashes", clock=lambda: time.time() + 10)

    def read() -> str:
        sha256 = file_sha256(file)
        file.write_bytes(b"more weights")
        return sha256

    cache.sha256("bytes", [file], read)
    assert cache.sha256("bytes", [file], lambda: file_sha256(file)) == file_sha256(file)


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff",
        b"[" * 100_000,
        b'{"sha256": 3}',
        '{"files": [], "sha256": "' + "0" * 64 + '"}',
        "flipped",
    ],
)
def test_a_damaged_entry_is_replaced(hashing: Hashing, file: Path, damaged: bytes | str) -> None:
    sha256 = hashing()
    kept = entry(hashing).read_text()
    flipped = kept.replace(sha256, sha256[:-1] + ("1" if sha256[-1] == "0" else "0"))
    content = flipped.encode() if damaged == "flipped" else damaged.encode() if isinstance(damaged, str) else damaged
    entry(hashing).write_bytes(content)
    assert [hashing(), hashing()] == [sha256] * 2
    assert hashing.reads == 2
    assert entry(hashing).read_text() == kept


def test_an_entry_of_another_user_is_not_trusted(hashing: Hashing, monkeypatch: pytest.MonkeyPatch) -> None:
    user = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: user + 1)
    hashing()
    hashing()
    assert hashing.reads == 2


def test_a_folder_that_cannot_be_written_keeps_nothing(tmp_path: Path, file: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    hashing = Hashing(tmp_path / "cache" / "hashes", file)
    assert [hashing(), hashing()] == [file_sha256(file)] * 2
    assert hashing.reads == 2


def test_an_entry_that_cannot_be_replaced_is_no_error(hashing: Hashing, file: Path) -> None:
    hashing()
    path = entry(hashing)
    path.unlink()
    path.mkdir()
    (path / "file").write_text("")
    verifying = Hashing(path.parent, file, verify=True)
    assert [hashing(), verifying()] == [file_sha256(file)] * 2


def test_the_oldest_entries_go(hashing: Hashing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(experts.hash_cache, "_MOST_ENTRIES", 3)
    for number in range(5):
        hashing(f"kind {number}")
        time.sleep(0.01)
    assert len(list((tmp_path / "cache" / "hashes").iterdir())) == 3
    hashing("kind 4")
    assert hashing.reads == 5


WORKER = """
import sys, time
from pathlib import Path
from experts.files import file_sha256
from experts.hash_cache import HashCache
folder, file = map(Path, sys.argv[1:])
for verify in [True, False] * 50:
    cache = HashCache(folder, verify, lambda: time.time() + 10)
    print(cache.sha256("bytes", [file], lambda: file_sha256(file)))
"""


def test_processes_share_it_without_harm(tmp_path: Path, file: Path) -> None:
    command = [sys.executable, "-c", WORKER, str(tmp_path / "hashes"), str(file)]
    workers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    for worker in workers:
        out, _ = worker.communicate()
        assert worker.returncode == 0
        assert out.split() == [file_sha256(file)] * 100
    assert len(list((tmp_path / "hashes").iterdir())) == 1


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_base(tmp_path_factory.mktemp("models") / "base")


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folders whose weights were read to hash them; what changed just now counts as settled."""
    folders: list[Path] = []
    monkeypatch.setattr(experts.hash_cache, "_SETTLED_AFTER", 0)
    for module in (experts.base_models, experts.full_models):
        computed = module.model_sha256

        def model_sha256(folder: Path, *check: object, computed: Callable[..., str] = computed) -> str:
            folders.append(folder)
            return computed(folder, *check)

        monkeypatch.setattr(module, "model_sha256", model_sha256)
    return folders


def test_a_base_model_is_read_once(model: Path, tmp_path: Path, reads: list[Path]) -> None:
    first, second = (resolve_base_model(str(model), tmp_path) for _ in range(2))
    assert first == second
    assert reads == [model]
    assert resolve_base_model(str(model), tmp_path, verify=True) == first
    assert reads == [model, model]


def test_a_base_model_in_other_files_is_read_again(model: Path, tmp_path: Path, reads: list[Path]) -> None:
    copied = Path(shutil.copytree(model, tmp_path / "copied"))
    before = resolve_base_model(str(copied), tmp_path)
    save_file(load_file(copied / "model.safetensors"), copied / "model-1.safetensors")
    (copied / "model.safetensors").unlink()
    assert resolve_base_model(str(copied), tmp_path).sha256 == before.sha256
    assert reads == [copied, copied]


def test_a_full_model_expert_is_read_once(model: Path, tmp_path: Path, reads: list[Path]) -> None:
    base, expert = resolve_base_model(str(model), tmp_path), make_base(tmp_path / "expert", seed=3)
    assert read_full_model(expert, base) == read_full_model(expert, base)
    assert reads == [model, expert]
    verifying = resolve_base_model(str(model), tmp_path, verify=True)
    assert read_full_model(expert, verifying) == read_full_model(expert, BaseModel("x", model, base.sha256))
    assert reads == [model, expert, model, expert, expert]


def test_a_hash_says_nothing_of_numbers_that_were_not_checked(model: Path, tmp_path: Path, reads: list[Path]) -> None:
    base, broken = resolve_base_model(str(model), tmp_path), make_base(tmp_path / "broken", seed=3)
    tensors = load_file(broken / "model.safetensors")
    tensors["model.norm.weight"] = torch.full((32,), float("nan"))
    save_file(tensors, broken / "model.safetensors")
    resolve_base_model(str(broken), tmp_path)
    for _ in range(2):
        with pytest.raises(InputError, match="has NaN or infinite values"):
            read_full_model(broken, base)
    assert reads == [model, broken, broken, broken]
