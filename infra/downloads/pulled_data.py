"""A folder of pulled data sets: `NAME.json` each, and `data.lock` that says what was pulled.

`data.lock` is JSON: `{"NAME": {"url": …, "sha256": …, "size": …}, …}`. A data set whose SHA-256 no catalogue knows is
trusted when it is first pulled, and must have the same bytes from then on.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from data.catalogue import DataSet, problem_of
from experts.files import file_sha256, publish_text
from infra.downloads.download import DownloadLimits, DownloadProgress, download
from infra.files.locks import exclusive_lock
from swarm.errors import InputError

LOCK_FILE = "data.lock"

Status = Literal["pulled", "changed", "unknown"]
"""Of a file that is there: what it should be; not that; or nothing says what it should be."""


class LockEntry(BaseModel):
    """What was pulled under a name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    size: int = Field(ge=0)


_LOCK = TypeAdapter(dict[str, LockEntry])


@dataclass(frozen=True)
class PulledDataSet:
    """A data set that is there whole.

    Attributes:
        path: its file.
        sha256: of the file's bytes.
        size: of the file in bytes.
        new: whether it was downloaded now.
        first_seen: whether no catalogue or earlier pull knew its SHA-256, so that it was trusted as it came.

    """

    path: Path
    sha256: str
    size: int
    new: bool
    first_seen: bool


@dataclass(frozen=True)
class DataFolder:
    """A folder of pulled data sets."""

    folder: Path

    def path(self, data_set: DataSet) -> Path:
        """Return where the file of `data_set` is, or would be."""
        return self.folder / f"{data_set.name}.json"

    def status(self, data_set: DataSet) -> Status | None:
        """Return what is there of `data_set`; None if nothing is.

        Raises:
            InputError: the lock file is damaged.

        """
        path = self.path(data_set)
        if not path.is_file():
            return None
        expected = self._expected_sha256(data_set)
        if expected is None:
            return "unknown"
        return "pulled" if file_sha256(path) == expected else "changed"

    def pull(
        self, data_set: DataSet, report: DownloadProgress | None = None, limits: DownloadLimits | None = None
    ) -> PulledDataSet:
        """Download `data_set`, unless it is there; a part from an earlier try is continued.

        Raises:
            InputError: it has no file to download, another file has its name, or the folder can't be written.
            DownloadError: it could not be had, or is not what it was or should be.

        """
        path, url = self.path(data_set), data_set.url
        if url is None:
            note = f" ({data_set.note})" if data_set.note else ""
            raise InputError(f"data set {data_set.name!r} has no file to download{note}: make one of your own")
        match self.status(data_set):
            case "pulled":
                return PulledDataSet(path, file_sha256(path), path.stat().st_size, new=False, first_seen=False)
            case "changed" | "unknown" as status:
                raise InputError(f"{path}: {_REASONS[status]}: move it away, or choose another --to")
        expected = self._expected_sha256(data_set)

        def accept(part: Path) -> str | None:
            # Remembered before it is published: a kill between the two must not leave a file that nothing vouches for.
            problem = problem_of(part)
            if problem is None:
                self._remember(data_set.name, LockEntry(url=url, sha256=file_sha256(part), size=part.stat().st_size))
            return problem

        done = download(url, path, expected, accept, limits, report)
        return PulledDataSet(path, done.sha256, done.size, new=True, first_seen=expected is None)

    def _expected_sha256(self, data_set: DataSet) -> str | None:
        if data_set.sha256 is not None:
            return data_set.sha256
        entry = self._lock_entries().get(data_set.name)
        return None if entry is None else entry.sha256

    def _lock_entries(self) -> dict[str, LockEntry]:
        path = self.folder / LOCK_FILE
        try:
            return _LOCK.validate_json(path.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, ValidationError) as error:
            raise InputError(
                f"{path}: can't be read as a lock file ({_reason(error)}): restore or remove it"
            ) from error

    def _remember(self, name: str, entry: LockEntry) -> None:
        with exclusive_lock(self.folder / f".{LOCK_FILE}.held"):  # else what another process adds would be lost
            entries = self._lock_entries() | {name: entry}
            text = json.dumps({key: entries[key].model_dump() for key in sorted(entries)}, indent=1)
            publish_text(self.folder / LOCK_FILE, text + "\n")


_REASONS = {
    "changed": "is there and holds something else than this data set",
    "unknown": "is there, and nothing says whether it is this data set",
}


def _reason(error: OSError | ValidationError) -> str:
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    first = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(map(str, first['loc'])) or 'file'}: {' '.join(first['msg'].split())}"
