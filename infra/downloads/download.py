"""Download one file: continued where it broke off, checked, and there whole or not at all."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from experts.files import cannot_write, publish_file
from infra.downloads.http import (
    DownloadInterrupted,
    DownloadRefused,
    RangeRefused,
    ResponseHead,
    is_allowed,
    read_body,
    read_head,
    request_file,
)
from infra.downloads.partial_file import PartialFile, hold_partial_file
from swarm.errors import InputError

_LONGEST_WAIT = 60.0

DownloadProgress = Callable[[int, int, str], None]
"""Is called with (kilobytes that are there, kilobytes in all or 0 if unknown, "kB")."""


class DownloadError(RuntimeError):
    """A file could not be downloaded, through no fault of the user; the message is one line and says what to do."""


@dataclass(frozen=True)
class DownloadLimits:
    """What a download may take.

    Attributes:
        most_bytes: a larger file is refused, before it is read where the server says its size.
        attempts: the download is given up after so many failures in a row that brought no byte further.
        wait: seconds before the second attempt; doubled each time, up to a minute. A server may ask for more.
        timeout: seconds that a server may be silent.

    """

    most_bytes: int = 1 << 30
    attempts: int = 5
    wait: float = 1.0
    timeout: float = 30.0


@dataclass(frozen=True)
class DownloadResult:
    """A file that was downloaded whole.

    Attributes:
        sha256: of its bytes.
        size: in bytes.
        resumed: how many of them an earlier attempt had left.

    """

    sha256: str
    size: int
    resumed: int


def download(
    url: str,
    target: Path,
    sha256: str | None = None,
    check: Callable[[Path], str | None] | None = None,
    limits: DownloadLimits | None = None,
    report: DownloadProgress | None = None,
) -> DownloadResult:
    """Download `url` to `target`, whose earlier content is replaced.

    What was downloaded before a failure or a kill stays beside it (`.NAME.part`), and is continued by the next call:
    if `sha256` is given, or if the server names the file's version.

    Args:
        url: an https address (http only on this machine).
        target: the file to write.
        sha256: what its bytes must have.
        check: looks at the whole file before it is published, and returns what is wrong with it.
        limits: size, attempts, times.
        report: is called with how far the download is.

    Raises:
        InputError: `url` is no such address; `target` can't be written or is being downloaded by another process.
        DownloadError: the file could not be downloaded, or is not what it should be. Nothing appears as `target` then.

    """
    if not is_allowed(url):
        raise InputError(f"{url}: is not an https address: give one that begins with https://")
    try:
        with hold_partial_file(target, url) as part:
            fetch = _Fetch(url, part, sha256, limits or DownloadLimits(), report or _silent)
            try:
                return _publish(fetch, target, check)
            except DownloadRefused as error:
                raise DownloadError(f"{url}: {error}") from error
            finally:
                if not part.size:
                    part.remove()
    except OSError as error:
        raise cannot_write(target, error) from error


def _publish(fetch: "_Fetch", target: Path, check: Callable[[Path], str | None] | None) -> DownloadResult:
    part, expected = fetch.part, fetch.sha256
    resumed, content = fetch.whole(), part.sha256()
    if resumed and expected not in {None, content}:  # what lay there may have been damaged: the whole file decides
        part.begin(None)
        resumed, content = fetch.whole(), part.sha256()
    if expected not in {None, content}:
        part.remove()
        raise DownloadRefused(
            f"its SHA-256 is {content} and not {expected}: it was changed, there or on the way: don't use it"
        )
    problem = None if check is None else check(part.path)
    if problem is not None:
        part.remove()
        raise DownloadRefused(f"what came {problem}: look at the address in a browser")
    size = part.size
    publish_file(part.path, target)
    part.remove()
    return DownloadResult(content, size, resumed)


@dataclass(frozen=True)
class _Fetch:
    url: str
    part: PartialFile
    sha256: str | None
    limits: DownloadLimits
    report: DownloadProgress

    def whole(self) -> int:
        """Bring the part to the file's whole length; return how many bytes the last attempt had not to ask for."""
        if self.sha256 is not None and self.part.size and self.part.sha256() == self.sha256:
            return self.part.size
        furthest, failures = self.part.size, 0
        while True:
            try:
                return self._attempt()
            except DownloadInterrupted as error:
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
        try:
            with request_file(self.url, self.limits.timeout, start, validator) as response:
                head = read_head(response, start)
                self._accept(head)
                self._copy(response, head)
        except RangeRefused:  # what lies there is no part of that file
            self.part.begin(None)
            raise
        if head.total is not None and self.part.size != head.total:
            raise DownloadInterrupted(f"it broke off after {self.part.size} of {head.total} bytes")
        return head.start

    def _accept(self, head: ResponseHead) -> None:
        self._refuse_large(head.total or 0)
        if head.total is None and self.sha256 is None and not head.chunked:
            raise DownloadRefused("the server does not say how long it is, so nobody could tell when it is whole")
        if head.start == 0:
            self.part.begin(head.validator)

    def _copy(self, response: httpx.Response, head: ResponseHead) -> None:
        done = head.start
        for data in read_body(response):
            done += len(data)
            self._refuse_large(done)
            self.part.write(data)
            self.report(done // 1000, (head.total or 0) // 1000, "kB")

    def _refuse_large(self, size: int) -> None:
        if size > self.limits.most_bytes:
            self.part.begin(None)
            raise DownloadRefused(f"it has more than the {self.limits.most_bytes} bytes that are allowed")


def _silent(done: int, total: int, note: str) -> None:
    pass
