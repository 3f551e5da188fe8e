"""Files that are published whole or not at all: write beside the target, fsync, rename.

Who may read them is the user's umask, as for files that any other program makes.
"""

import errno
import hashlib
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from swarm.errors import InputError
from swarm.plain_json import MOST_BYTES, parse_json

_REMEDIES = {
    errno.ENOSPC: "free some space there and resume; nothing published before was touched",
    errno.EFBIG: "the file system or your limit (ulimit -f) allows no file so large: raise it or choose another folder",
    errno.EDQUOT: "your disk quota is used up: free some space and resume; nothing published before was touched",
    errno.EROFS: "the file system is read-only: choose another folder",
    errno.EACCES: "this user may not write there: change its permissions or choose another folder",
    errno.EPERM: "this user may not write there: change its permissions or choose another folder",
}


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of the bytes of the file at `path` (64 hexadecimal digits)."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_limited(path: Path, most_bytes: int) -> bytes:
    """Return the bytes of the file at `path`, but at most `most_bytes` + 1; raises `OSError`, also for a pipe."""
    if path.is_fifo():  # opening it waits for somebody who writes
        raise OSError(errno.EINVAL, "it is a pipe and no file", str(path))
    with path.open("rb") as file:
        return file.read(most_bytes + 1)


def read_json(path: Path, most_bytes: int = MOST_BYTES, *, allow_infinity: bool = False) -> Any:
    """Return the value of the JSON file at `path`, which anybody may have written.

    Raises:
        OSError: the file can't be read.
        JsonError: it is larger than `most_bytes`, or not what `swarm.plain_json.parse_json` reads.

    """
    return parse_json(read_limited(path, most_bytes), most_bytes, allow_infinity=allow_infinity)


def publish_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8 to `path`, so that a reader sees the old file or the whole new one.

    Raises:
        InputError: the disk is full or the folder can't be written; the message says what to do.

    """
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = new_file_beside(path)
        with temporary.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync(path.parent)
    except OSError as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        raise cannot_write(path, error) from error


def new_file_beside(path: Path) -> Path:
    """Make an empty file beside `path`, to be filled and renamed to `path`; unlike tempfile's, it follows the umask."""
    while True:
        temporary = _hidden_beside(path)
        try:
            temporary.touch(exist_ok=False)
        except FileExistsError:
            continue
        return temporary


def publish_file(temporary: Path, path: Path) -> None:
    """Make the finished file `temporary`, of the same folder, appear as `path` at once; an earlier `path` is replaced.

    Raises:
        InputError: the disk is full or the folder can't be written; the message says what to do.

    """
    try:
        temporary.chmod(_mode_of_new_files(path.parent))  # safetensors writes files that only their owner may read
        _sync(temporary)
        temporary.replace(path)
        _sync(path.parent)
    except OSError as error:
        raise cannot_write(path, error) from error


@contextmanager
def publish_folder(folder: Path) -> Iterator[Path]:
    """Give an empty folder to fill, then make it appear as `folder` at once; an earlier `folder` is replaced.

    Leaving the block by an exception leaves an earlier `folder` as it was.

    Raises:
        InputError: the disk is full or the folder can't be written; the message says what to do.

    """
    temporary: Path | None = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = _new_folder_beside(folder)
        yield temporary
        file_mode, folder_mode = _mode_of_new_files(folder.parent), temporary.stat().st_mode & 0o7777
        for path in (*temporary.rglob("*"), temporary):
            path.chmod(folder_mode if path.is_dir() else file_mode)  # copies' and safetensors' files have their own
            _sync(path)
        _swap(temporary, folder)
        _sync(folder.parent)
    except (OSError, SafetensorError) as error:
        cause = _system_error(error)
        if cause is None:
            raise
        raise cannot_write(folder, cause) from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


def cannot_write(path: Path, error: OSError) -> InputError:
    """Return the one-line error for a failed write to `path`."""
    remedy = _REMEDIES.get(error.errno or 0, "check the folder and its disk")
    return InputError(f"cannot write {path}: {error.strerror or error}: {remedy}")


def _system_error(error: OSError | SafetensorError) -> OSError | None:
    """Return the system's error in `error`: safetensors gives it (a full disk) as a text only."""
    if isinstance(error, OSError):
        return error
    match = re.search(r"\(os error (\d+)\)", str(error))
    return OSError(int(match[1]), os.strerror(int(match[1]))) if match is not None else None


def _hidden_beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}")


def _new_folder_beside(folder: Path) -> Path:
    while True:
        temporary = _hidden_beside(folder)
        try:
            temporary.mkdir()
        except FileExistsError:
            continue
        return temporary


def _mode_of_new_files(folder: Path) -> int:
    """Return the permissions that the umask (and the default ACL of `folder`) gives a new file.

    Asking for the umask means setting it, for all threads of the process; so a file is made and looked at.
    """
    probe = new_file_beside(folder / "mode")
    try:
        return probe.stat().st_mode & 0o777
    finally:
        probe.unlink()


def _swap(new: Path, target: Path) -> None:
    if not target.exists():
        new.rename(target)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{target.name}.old.", dir=target.parent))
    target.rename(old / "folder")
    new.rename(target)
    shutil.rmtree(old, ignore_errors=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
