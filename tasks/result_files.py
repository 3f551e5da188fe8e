"""The files of task results: plain JSON for people and for Prefect's UI, which no search ever reads as a result.

Prefect would read a stored result by the serializer that the file itself names, and one of its serializers is pickle:
whoever can write into the storage could run code. So nothing is read from there: Prefect is told that no result is
there, every task is computed, and evaluations are found in the records. What lies there already is compared with what
was computed; whatever differs is logged and replaced (docs/decisions/0019).
"""

import json
import logging
import uuid
from pathlib import Path
from typing import Any

import fsspec
from prefect.filesystems import WritableFileSystem
from prefect.serializers import Serializer
from pydantic import Field, PrivateAttr

from swarm.canonical import canonical_json

logger = logging.getLogger(__name__)

_TYPE = "model-swarms"
_EARLIER_TYPE = "json"
"""Earlier versions wrote by Prefect's JSON serializer; of plain values, it wrote plain JSON, too."""

_EXTRA_BYTES = 65536
"""A file is read up to this many bytes more than what was computed: enough for the metadata of other versions."""


class ResultSerializer(Serializer):
    """Writes a task's result as canonical JSON; it reads nothing."""

    type: str = Field(default=_TYPE, frozen=True)

    def dumps(self, obj: Any) -> bytes:
        """Return `obj` as JSON; of an exception, only what it says."""
        value = {"failed": f"{type(obj).__name__}: {obj}"} if isinstance(obj, BaseException) else obj
        return canonical_json(value).encode()


class ResultFiles(WritableFileSystem):
    """The storage of task results below a folder of this machine, or below a URL that fsspec knows."""

    _block_type_name = "Model Swarms Results"

    root: str
    """The folder, absolute; or the URL."""

    _files: "_Folder | _Bucket" = PrivateAttr()

    def model_post_init(self, context: Any) -> None:
        """Choose how files are written."""
        super().model_post_init(context)
        self._files = _Bucket(self.root) if "://" in self.root else _Folder(Path(self.root))

    def read_path(self, path: str, **options: Any) -> bytes:  # type: ignore[override]  # Prefect's is one of two kinds
        """Raise `ValueError`, which Prefect takes for a missing result: results are data, and never read."""
        raise ValueError("task results are not read: the task is computed, and evaluations are in the records")

    def write_path(self, path: str, content: bytes, **options: Any) -> None:  # type: ignore[override]
        """Write a result, and log what was there instead; a failure is logged, too, since nothing depends on it."""
        try:
            found = self._files.read(path, len(content) + _EXTRA_BYTES)
            if found == content:
                return
            difference = None if found is None else _difference(found, content)
            if difference is not None:
                logger.warning("task result %s %s: it was not used, and is replaced", path, difference)
            self._files.write(path, content)
        except Exception as error:  # what storages raise has nothing in common
            line = (str(error).splitlines() or [""])[0]
            logger.warning("task result %s could not be written (%s: %s)", path, type(error).__name__, line)

    def _resolve_path(self, path: str) -> None:
        """Let Prefect name results as they are, without this machine's folder."""


class _Folder:
    """Files below a folder of this machine."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def read(self, name: str, most: int) -> bytes | None:
        """Return the first `most` bytes of a file; b"" of what is no file; None if there is nothing."""
        path = self._root / name
        if not path.is_symlink() and not path.exists():
            return None
        if path.is_symlink() or not path.is_file():
            return b""
        with path.open("rb") as file:
            return file.read(most)

    def write(self, name: str, content: bytes) -> None:
        """Publish a file in place of whatever has its name; a link is replaced, and what it names stays."""
        path = self._root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.parent.resolve().is_relative_to(self._root.resolve()):
            raise OSError(f"{path.parent} is a link that leads out of {self._root}")
        temporary = path.with_name(f".{uuid.uuid4().hex}")
        try:
            temporary.write_bytes(content)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


class _Bucket:
    """Files below a URL that fsspec knows."""

    def __init__(self, url: str) -> None:
        self._storage, self._root = fsspec.url_to_fs(url.rstrip("/"))

    def read(self, name: str, most: int) -> bytes | None:
        """Return the first `most` bytes of a file; b"" of what can't be read; None if there is nothing."""
        try:
            content: bytes = self._storage.cat_file(f"{self._root}/{name}", start=0, end=most)
        except FileNotFoundError:
            return None
        except Exception:  # an empty file has no such range; what storages raise has nothing in common
            return b""
        return content

    def write(self, name: str, content: bytes) -> None:
        """Write a file in place of whatever has its name."""
        path = f"{self._root}/{name}"
        self._storage.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
        self._storage.pipe_file(path, content)


def _difference(found: bytes, computed: bytes) -> str | None:
    """Say how the file `found` differs from the result `computed`; None if both hold the same value."""
    try:
        record = json.loads(found)
        serializer = record["metadata"]["serializer"]["type"]
        if serializer not in (_TYPE, _EARLIER_TYPE):
            return f"named the serializer {str(serializer)[:40]!r}"
        value = json.loads(record["result"])
    except (ValueError, TypeError, LookupError, RecursionError):
        return "was no result of a task"
    return None if value == json.loads(json.loads(computed)["result"]) else "held another value"
