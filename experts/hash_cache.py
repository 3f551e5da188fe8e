"""Content hashes of models, kept across processes: to hash a model is to read all of it, hundreds of megabytes or more.

A hash is kept by what the file system says of the model's files: path, size, time of the last change, inode, device.
An entry is one JSON file: `{"files": [[path, size, mtime_ns, ctime_ns, inode, device], …], "sha256": …,
"entry_sha256": …}`, where `entry_sha256` is the hash of the rest. Every entry may be deleted at any time; one that is
damaged, or that another user wrote, is not read.
"""

import json
import logging
import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from experts.files import publish_text
from swarm.canonical import content_hash
from swarm.errors import InputError
from swarm.plain_json import MOST_BYTES, parse_json

_MOST_ENTRIES = 256

_SETTLED_AFTER = 2.0
"""Seconds: a file that changed later before it was hashed could change again within the same tick of its times."""

logger = logging.getLogger(__name__)

_Identity = tuple[str, int, int, int, int, int]


@dataclass(frozen=True)
class HashCache:
    """Content hashes in `folder`; several processes may use it at once.

    Attributes:
        folder: is made when the first hash is kept; one that can't be written keeps nothing. None: nothing is kept.
        verify: whether every hash is computed anew, and replaces the one that was kept.
        clock: the seconds since the epoch.

    """

    folder: Path | None = None
    verify: bool = False
    clock: Callable[[], float] = time.time

    def sha256(self, kind: str, files: Sequence[Path], compute: Callable[[], str]) -> str:
        """Return what `compute` returns, or returned for files that did not change since.

        Args:
            kind: what is computed from the files; it has a hash of its own.
            files: all that the hash depends on, in their order.
            compute: computes the hash (64 hexadecimal digits). If it raises, nothing is kept.

        """
        if self.folder is None:
            return compute()
        before = _identities(files)
        entry = self.folder / f"{content_hash([kind, os.getuid(), [path for path, *_ in before]])}.json"
        if self.verify:
            with suppress(OSError):
                entry.unlink(missing_ok=True)
        elif (kept := _read(entry, before)) is not None:
            return kept
        started = self.clock()
        sha256 = compute()
        if _is_settled(before, started) and _identities(files) == before:
            _write(entry, before, sha256)
        return sha256


def _identities(files: Sequence[Path]) -> list[_Identity]:
    return [_identity(file.resolve()) for file in files]


def _identity(file: Path) -> _Identity:
    # The time of the inode's change (ctime) can't be set back, as that of the content (mtime) can.
    status = file.stat()
    return str(file), status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_dev


def _is_settled(files: Sequence[_Identity], now: float) -> bool:
    return all(max(changed) / 1e9 < now - _SETTLED_AFTER for _, _, *changed, _, _ in files)


def _read(entry: Path, files: Sequence[_Identity]) -> str | None:
    """Return the hash of `files` in `entry`; None if it has none that can be trusted."""
    try:
        with entry.open(encoding="utf-8") as file:
            mine = os.fstat(file.fileno()).st_uid == os.getuid()
            value = parse_json(file.read(MOST_BYTES + 1), MOST_BYTES)
        kept = _entry(files, value["sha256"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return str(value["sha256"]) if mine and value == kept else None


def _write(entry: Path, files: Sequence[_Identity], sha256: str) -> None:
    try:
        publish_text(entry, json.dumps(_entry(files, sha256)))
        _remove_oldest(entry.parent)
    except (InputError, OSError) as error:
        logger.debug("a model's hash is not kept: %s", error)


def _entry(files: Sequence[_Identity], sha256: str) -> dict[str, object]:
    content = {"files": [list(file) for file in files], "sha256": sha256}
    return {**content, "entry_sha256": content_hash(content)}


def _remove_oldest(folder: Path) -> None:
    """Bound the number of files in `folder`, those among them that a killed process left half written."""
    times = []
    for path in folder.iterdir():
        with suppress(FileNotFoundError):  # another process removes them too
            times.append((path.stat().st_mtime_ns, path))
    for _, path in sorted(times)[:-_MOST_ENTRIES]:
        path.unlink(missing_ok=True)
