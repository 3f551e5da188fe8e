"""HTTP as downloads use it: https, or http with this machine only, whatever a server redirects to.

Requests go through httpx's transport and not through its client: the client would follow redirections, keep cookies and
read settings from the environment by rules of its own.
"""

import ipaddress
import re
import socket
import ssl
import string
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import quote, urljoin, urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

_BUSY = {408, 425, 429}
_NO_SUCH_RANGE = 416
_REDIRECTIONS = {301, 302, 303, 307, 308}
_MOST_ADDRESSES = 10
_MOST_VISITS = 4
"""A request is redirected to so many addresses at most, and so often to one of them."""

_LAST_PORT = 65535

_HEADER_ENCODING = "iso-8859-1"
"""Every byte is a character in it, so a header is sent back as it came."""


class DownloadRefused(RuntimeError):
    """What a server answered can't be accepted, and trying again would not change that."""


class DownloadInterrupted(RuntimeError):
    """A download broke off or a server was busy: trying again may help.

    Attributes:
        wait: seconds that the server asked to wait, 0 if it did not.

    """

    def __init__(self, message: str, wait: float = 0) -> None:
        super().__init__(message)
        self.wait = wait


class RangeRefused(DownloadInterrupted):
    """The file ends before the byte that was asked for: trying again from its start may help."""


@dataclass(frozen=True)
class ResponseHead:
    """What the head of a server's response says of the file.

    Attributes:
        start: the place in the file where the body begins, in bytes: 0 unless the server resumes.
        total: the size of the whole file in bytes; None if the server does not say.
        validator: names this version of the file (a strong ETag); None if the server gives none.
        chunked: whether the body marks its own end.

    """

    start: int
    total: int | None
    validator: str | None
    chunked: bool


def is_allowed(url: str) -> bool:
    """Say whether downloads may ask `url`: by https any host, by http only this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    if not host or parts.username is not None:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_this_machine(host))


@contextmanager
def request_file(url: str, timeout: float, start: int = 0, validator: str | None = None) -> Iterator[httpx.Response]:
    """Request the file at `url` from byte `start` on; the response's body is read by `read_body` inside the block.

    Args:
        url: an address that `is_allowed`; redirections from it are followed to such addresses only.
        timeout: seconds that the server may be silent.
        start: the first byte to send.
        validator: makes a server send a file that changed since from its start.

    Raises:
        DownloadRefused: the server refuses, is not who it says, or redirects to an address that is not allowed.
        RangeRefused: the file has no byte `start`.
        DownloadInterrupted: the connection failed or the server is busy.

    """
    headers = {"Accept-Encoding": "identity", "User-Agent": "model-swarms", "Connection": "close"}
    if start:
        headers["Range"] = f"bytes={start}-"
        if validator is not None:
            headers["If-Range"] = validator
    visits: Counter[str] = Counter()
    while True:
        with _response(url, headers, timeout) as response:
            target = _redirection(url, response)
            if target is None:
                _check_status(response)
                yield response
                return
        if visits[target] == _MOST_VISITS or len(visits) == _MOST_ADDRESSES:
            raise _no_destination()
        visits[target] += 1
        url = target


def read_head(response: httpx.Response, start: int) -> ResponseHead:
    """Return what the head of `response` says of the file that was asked for from byte `start` on.

    Raises:
        DownloadRefused: the body is encoded, or is another part of the file than was asked for.

    """
    headers = response.headers
    encoding = headers.get("Content-Encoding", "identity")
    if encoding != "identity":
        raise DownloadRefused(f"the server sends it encoded as {encoding}")
    tag = headers.get("ETag")
    validator = tag if tag is not None and tag.startswith('"') else None
    chunked = _is_chunked(response)
    if response.status_code == httpx.codes.PARTIAL_CONTENT:
        return ResponseHead(start, _total_of_range(headers.get("Content-Range"), start), validator, chunked)
    length = headers.get("Content-Length", "")
    return ResponseHead(0, int(length) if length.isdecimal() else None, validator, chunked)


def read_body(response: httpx.Response) -> Iterator[bytes]:
    """Yield the body of `response` as it comes, undecoded.

    A body that is shorter than the server said just ends, as one whose length nobody said does: compare the sizes.

    Raises:
        DownloadInterrupted: the connection failed, or broke off inside a body that marks its own end.

    """
    try:
        yield from response.iter_raw()
    except httpx.RemoteProtocolError as error:
        if _is_chunked(response):
            raise _failure(error) from error
    except httpx.RequestError as error:
        raise _failure(error) from error


@contextmanager
def _response(url: str, headers: dict[str, str], timeout: float) -> Iterator[httpx.Response]:
    request = _request(url, headers, timeout)
    with _transport(request.url) as transport:
        try:
            response = transport.handle_request(request)
        except httpx.RequestError as error:
            raise _failure(error) from error
        except ValueError as error:  # a host's name that nobody could look up
            raise _no_address() from error
        response.headers.encoding = _HEADER_ENCODING
        try:
            yield response
        finally:
            response.close()


def _request(url: str, headers: dict[str, str], timeout: float) -> httpx.Request:
    extensions = {"timeout": httpx.Timeout(timeout).as_dict()}
    try:
        encoded = {name.encode(): value.encode(_HEADER_ENCODING) for name, value in headers.items()}
        request = httpx.Request("GET", url, headers=encoded, extensions=extensions)
    except (httpx.InvalidURL, ValueError) as error:
        raise _no_address() from error
    # httpx must read an address as `is_allowed` does, or it could ask another host; the system takes ports modulo 2^16.
    if not is_allowed(str(request.url)) or (request.url.port or 0) > _LAST_PORT:
        raise _no_address()
    return request


def _transport(url: httpx.URL) -> httpx.HTTPTransport:
    """Return what asks `url`; only https goes through the user's proxy, and certificates are those of the system."""
    context = ssl.create_default_context()
    proxy = getproxies().get("https") if url.scheme == "https" else None
    if not proxy or proxy_bypass(url.netloc.decode()):
        return httpx.HTTPTransport(verify=context, trust_env=False)
    return httpx.HTTPTransport(verify=context, trust_env=False, proxy=_proxy(proxy, context))


def _proxy(address: str, context: ssl.SSLContext) -> httpx.Proxy:
    try:
        url = httpx.URL(address if "://" in address else f"http://{address}")
    except httpx.InvalidURL as error:
        raise DownloadRefused("the address of the proxy in HTTPS_PROXY is not valid: correct it") from error
    if url.scheme not in {"http", "https"} or not url.host:
        raise DownloadRefused(f"HTTPS_PROXY names a proxy of the kind {url.scheme!r}: use one by http or https")
    return httpx.Proxy(url, ssl_context=context if url.scheme == "https" else None)


def _redirection(url: str, response: httpx.Response) -> str | None:
    """Return where `response` redirects a request of `url` to; None if it does not."""
    location = response.headers.get("Location")
    if response.status_code not in _REDIRECTIONS or location is None:
        return None
    try:
        target = urljoin(url, quote(location, safe=string.punctuation, encoding=_HEADER_ENCODING))
    except ValueError:
        target = location
    if not is_allowed(target) or (urlsplit(url).scheme == "https" and urlsplit(target).scheme != "https"):
        raise DownloadRefused(f"it is redirected to {target!r}, which is not https")
    return target


def _check_status(response: httpx.Response) -> None:
    """Raise what a server's refusal means for the download."""
    status = response.status_code
    if 200 <= status < 300:
        return
    if 300 <= status < 400:  # those that lead somewhere are followed
        raise _no_destination()
    refusal = f"the server answers {status} ({httpx.codes.get_reason_phrase(status) or 'unknown'})"
    if status == _NO_SUCH_RANGE:
        raise RangeRefused(refusal, _requested_wait(response))
    if status >= 500 or status in _BUSY:
        raise DownloadInterrupted(refusal, _requested_wait(response))
    raise DownloadRefused(f"{refusal}: check the address, and whether it asks for a login")


def _requested_wait(response: httpx.Response) -> float:
    seconds = response.headers.get("Retry-After", "")
    return float(seconds) if seconds.isdecimal() else 0


def _failure(error: httpx.RequestError) -> DownloadInterrupted | DownloadRefused:
    """Return what a failed request means for the download.

    What the network or the server did may be different the next time: every error of a connection (`NetworkError`,
    `TimeoutException`, `ProxyError`, `RemoteProtocolError`), but for an unknown host or a wrong certificate. What was
    wrong with the request itself stays wrong: `LocalProtocolError`, `UnsupportedProtocol`; and so do the errors of
    httpx's own client and decoders (`TooManyRedirects`, `DecodingError`), which are not used here.
    """
    if not isinstance(error, httpx.TransportError) or isinstance(
        error, (httpx.LocalProtocolError, httpx.UnsupportedProtocol)
    ):
        return _no_address()
    cause = _system_error(error)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return DownloadRefused(
            f"the server's certificate is not valid ({cause.verify_message}): don't trust what it sends"
        )
    if isinstance(cause, socket.gaierror) and cause.errno == socket.EAI_NONAME:
        return DownloadRefused("its host is not found: check the network")
    reason = getattr(cause, "strerror", None) or str(error) or type(error).__name__
    if isinstance(error, httpx.ProxyError):
        reason = f"the proxy answers {reason}"
    return DownloadInterrupted(f"the connection failed ({reason})")


def _system_error(error: httpx.TransportError) -> OSError | None:
    """Return the system's error that `error` came from, if there is one: httpcore raises its own with it."""
    arguments = error.__cause__.args if error.__cause__ is not None else ()
    return next((argument for argument in arguments if isinstance(argument, OSError)), None)


def _no_address() -> DownloadRefused:
    return DownloadRefused("it is no valid address: check it")


def _no_destination() -> DownloadRefused:
    return DownloadRefused("it is redirected in a circle, or to nowhere: check the address")


def _total_of_range(content_range: str | None, start: int) -> int | None:
    match = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", content_range or "")
    if match is None or int(match[1]) != start:
        raise DownloadRefused(f"the server sends {content_range!r} where bytes from {start} on were asked for")
    return None if match[2] == "*" else int(match[2])


def _is_chunked(response: httpx.Response) -> bool:
    encoding: str = response.headers.get("Transfer-Encoding", "")
    return encoding.lower() == "chunked"


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
