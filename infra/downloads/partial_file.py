"""The part of a file that was downloaded so far: `.NAME.part`, and `.NAME.part.json` that says what it is a part of.

`.NAME.part.json` is `{"url": …, "validator": …}`. A part of another address, or of a version that can't be recognised
again, is never continued.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from experts.files import file_sha256, publish_text, read_json
from infra.files.locks import lock_or_refuse
from swarm.errors import InputError


class PartialFile:
    """A part of the file at `url`, held by this process alone."""

    def __init__(self, file: BinaryIO, path: Path, url: str) -> None:
        self.path = path
        self._file = file
        self._url = url
        self._about = path.with_name(f"{path.name}.json")

    @property
    def size(self) -> int:
        """Bytes that are there."""
        return self._file.seek(0, os.SEEK_END)

    def validator(self) -> str | None:
        """Return what names the version this is a part of; None if nothing does or it is of another address."""
        try:
            about = read_json(self._about)
            return str(about["validator"]) if about["url"] == self._url else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def begin(self, validator: str | None) -> None:
        """Forget what is there; what is written from now on is of the version that `validator` names."""
        self._about.unlink(missing_ok=True)
        self._file.truncate(0)
        if validator is not None:
            publish_text(self._about, json.dumps({"url": self._url, "validator": validator}))

    def write(self, data: bytes) -> None:
        """Add `data` at the end."""
        self._file.write(data)

    def sha256(self) -> str:
        """Return the SHA-256 of the bytes that are there."""
        self._file.flush()
        return file_sha256(self.path)

    def remove(self) -> None:
        """Leave nothing behind (of a part that was published, only its description is left)."""
        self._about.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)


@contextmanager
def hold_partial_file(target: Path, url: str) -> Iterator[PartialFile]:
    """Hold the part of the file `target` for the length of the block; another process that wants it is refused.

    Raises:
        InputError: another process holds it.
        OSError: the folder can't be written.

    """
    target.parent.mkdir(parents=True, exist_ok=True)
    path = target.with_name(f".{target.name}.part")
    with path.open("ab") as file:
        lock_or_refuse(file, InputError(f"{target}: another process is downloading it: wait for it to end"))
        yield PartialFile(file, path, url)
