"""Download one file: continued where it broke off, checked, and there whole or not at all."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from urllib.error import HTTPError

from experts.files import cannot_write, publish_file
from infra.downloads.http import Answer, Interrupted, Refused, ask, is_allowed, of_connection, of_status, read_head
from infra.downloads.part import Part, hold_part
from swarm.errors import InputError

_CHUNK = 1 << 16
_LONGEST_WAIT = 60.0

Report = Callable[[int, int, str], None]
"""Called with (kilobytes that are there, kilobytes in all or 0 if unknown, "kB")."""


class DownloadError(RuntimeError):
    """A file could not be had, though what the user gave is fine; the message is one line and says what to do."""


@dataclass(frozen=True)
class Limits:
    """What a download may take.

    Attributes:
        most_bytes: a larger file is refused, before it is read where the server says its size.
        attempts: it is given up after so many failures in a row that brought no byte further.
        wait: seconds before the second attempt; doubled each time, up to a minute. A server may ask for more.
        timeout: seconds that a server may be silent.

    """

    most_bytes: int = 1 << 30
    attempts: int = 5
    wait: float = 1.0
    timeout: float = 30.0


@dataclass(frozen=True)
class Downloaded:
    """A file that is whole: its SHA-256, its size in bytes, and how many of them an earlier attempt had left."""

    sha256: str
    size: int
    resumed: int


def download(
    url: str,
    target: Path,
    sha256: str | None = None,
    check: Callable[[Path], str | None] | None = None,
    limits: Limits | None = None,
    report: Report | None = None,
) -> Downloaded:
    """Download `url` to `target`, whose earlier content is replaced.

    What was downloaded before a failure or a kill stays beside it (`.NAME.part`), and is continued by the next call:
    if `sha256` is given, or if the server names the file's version.

    Args:
        url: an https address (http only on this machine).
        target: the file to write.
        sha256: what its bytes must have.
        check: looks at the whole file before it is published, and returns what is wrong with it.
        limits: size, attempts, times.
        report: told how far it is.

    Raises:
        InputError: `url` is no such address; `target` can't be written or is being downloaded by another process.
        DownloadError: it could not be had, or is not what it should be. Nothing appears as `target` then.

    """
    if not is_allowed(url):
        raise InputError(f"{url}: is not an https address: give one that begins with https://")
    try:
        with hold_part(target, url) as part:
            fetch = _Fetch(url, part, sha256, limits or Limits(), report or _silent)
            try:
                return _publish(fetch, target, check)
            except Refused as error:
                raise DownloadError(f"{url}: {error}") from error
            finally:
                if not part.size:
                    part.remove()
    except OSError as error:
        raise cannot_write(target, error) from error


def _publish(fetch: "_Fetch", target: Path, check: Callable[[Path], str | None] | None) -> Downloaded:
    part, wanted = fetch.part, fetch.sha256
    resumed, found = fetch.whole(), part.sha256()
    if resumed and wanted not in {None, found}:  # what lay there may have been damaged: the whole file decides
        part.begin(None)
        resumed, found = fetch.whole(), part.sha256()
    if wanted not in {None, found}:
        part.remove()
        raise Refused(f"its SHA-256 is {found} and not {wanted}: it was changed, there or on the way: don't use it")
    problem = None if check is None else check(part.path)
    if problem is not None:
        part.remove()
        raise Refused(f"what came {problem}: look at the address in a browser")
    size = part.size
    publish_file(part.path, target)
    part.remove()
    return Downloaded(found, size, resumed)


@dataclass(frozen=True)
class _Fetch:
    url: str
    part: Part
    sha256: str | None
    limits: Limits
    report: Report

    def whole(self) -> int:
        """Bring the part to the file's whole length; return how many bytes the last attempt had not to ask for."""
        if self.sha256 is not None and self.part.size and self.part.sha256() == self.sha256:
            return self.part.size
        furthest, failures = self.part.size, 0
        while True:
            try:
                return self._attempt()
            except Interrupted as error:
                failures = 1 if self.part.size > furthest else failures + 1
                furthest = max(furthest, self.part.size)
                if failures >= self.limits.attempts:
                    raise DownloadError(
                        f"{self.url}: {error}; given up after {failures} attempts: run the command again to continue"
                    ) from error
                time.sleep(min(_LONGEST_WAIT, max(error.wait, self.limits.wait * 2 ** (failures - 1))))

    def _attempt(self) -> int:
        validator = self.part.validator()
        # Without a way to tell versions apart, the halves of two files could be joined unnoticed.
        start = self.part.size if validator is not None or self.sha256 is not None else 0
        with self._open(start, validator) as response:
            head = read_head(response, start)
            self._refuse_large(head.total or 0)
            if head.total is None and self.sha256 is None and not response.chunked:
                raise Refused("the server does not say how long it is, so nobody could tell when it is whole")
            if head.start == 0:
                self.part.begin(head.validator)
            self._copy(response, head)
        if head.total is not None and self.part.size != head.total:
            raise Interrupted(f"it broke off after {self.part.size} of {head.total} bytes")
        return head.start

    def _copy(self, response: HTTPResponse, head: Answer) -> None:
        done = head.start
        while data := _read(response):
            done += len(data)
            self._refuse_large(done)
            self.part.write(data)
            self.report(done // 1000, (head.total or 0) // 1000, "kB")

    def _open(self, start: int, validator: str | None) -> HTTPResponse:
        try:
            return ask(self.url, self.limits.timeout, start, validator)
        except HTTPError as error:
            with error:
                if error.code == 416:  # what lies there is no part of that file
                    self.part.begin(None)
                raise of_status(error) from error
        except (OSError, HTTPException) as error:
            raise of_connection(error) from error
        except ValueError as error:
            raise Refused("it is no valid address: check it") from error

    def _refuse_large(self, size: int) -> None:
        if size > self.limits.most_bytes:
            self.part.begin(None)
            raise Refused(f"it has more than the {self.limits.most_bytes} bytes that are allowed")


def _read(response: HTTPResponse) -> bytes:
    try:
        return response.read1(_CHUNK)
    except (OSError, HTTPException) as error:
        raise of_connection(error) from error


def _silent(done: int, total: int, note: str) -> None:
    pass
