"""Fingerprint files by their content, to see whether data changed; their times don't count."""

from collections.abc import Sequence
from glob import glob
from pathlib import Path

from experts.files import file_sha256
from swarm.canonical import content_hash
from swarm.errors import InputError


def fingerprint(patterns: Sequence[str]) -> str:
    """Return the content hash of all files that `patterns` name, and of their names.

    Args:
        patterns: files, folders (all that lies in them, except what is hidden) or patterns such as `data/**/*.json`.

    Raises:
        InputError: one of them names no file, or a file can't be read.

    """
    files = sorted({file for pattern in patterns for file in _files(pattern)})
    try:
        return content_hash([[file.name, file_sha256(file)] for file in files])
    except OSError as error:
        raise InputError(f"{error.filename}: can't be read ({error.strerror}): check its permissions") from error


def _files(pattern: str) -> list[Path]:
    glob_pattern = str(Path(pattern) / "**") if Path(pattern).is_dir() else pattern
    names = glob(glob_pattern, recursive=True)  # noqa: PTH207 (a pattern may be absolute)
    files = [file for name in names if (file := Path(name)).is_file()]
    if not files:
        raise InputError(f"{pattern}: there is no such file: give files, a folder or a pattern such as 'data/*.json'")
    return files
