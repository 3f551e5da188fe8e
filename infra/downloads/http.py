"""HTTP as downloads use it: https, or http with this machine only, whatever a server redirects to."""

import ipaddress
import re
import socket
import ssl
from dataclasses import dataclass
from http.client import HTTPException, HTTPMessage, HTTPResponse, responses
from typing import IO, Any, cast
from urllib.error import HTTPError, URLError
from urllib.parse import urljoin, urlsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
    getproxies,
)

_BUSY = {408, 425, 429}


class Refused(RuntimeError):
    """What a server answered can't be accepted, and trying again would not change that."""


class Interrupted(RuntimeError):
    """A download broke off or a server was busy: trying again may help.

    Attributes:
        wait: seconds that the server asked to wait, 0 if it did not.

    """

    def __init__(self, message: str, wait: float = 0) -> None:
        super().__init__(message)
        self.wait = wait


@dataclass(frozen=True)
class Answer:
    """The head of a server's answer.

    Attributes:
        start: the place in the file where the body begins, in bytes: 0 unless the server resumes.
        total: the size of the whole file in bytes; None if the server does not say.
        validator: names this version of the file (a strong ETag); None if the server gives none.

    """

    start: int
    total: int | None
    validator: str | None


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


def ask(url: str, timeout: float, start: int = 0, validator: str | None = None) -> HTTPResponse:
    """Ask for the file at `url` from byte `start` on; `validator` makes a server send a changed file from its start.

    Raises:
        Refused: a redirection to an address that is not allowed.
        OSError: every other failure (urllib's are OSErrors).

    """
    headers = {"Accept-Encoding": "identity", "User-Agent": "model-swarms"}
    if start:
        headers["Range"] = f"bytes={start}-"
        if validator is not None:
            headers["If-Range"] = validator
    return cast(HTTPResponse, _opener().open(Request(url, headers=headers), timeout=timeout))


def read_head(response: HTTPResponse, start: int) -> Answer:
    """Return what the head of `response` says of the file that was asked for from byte `start` on.

    Raises:
        Refused: the body is encoded, or is another part of the file than was asked for.

    """
    headers = response.headers
    encoding = headers.get("Content-Encoding", "identity")
    if encoding != "identity":
        raise Refused(f"the server sends it encoded as {encoding}")
    tag = headers.get("ETag")
    validator = tag if tag is not None and tag.startswith('"') else None
    if response.status == 206:
        return Answer(start, _total_of_range(headers, start), validator)
    length = headers.get("Content-Length", "")
    return Answer(0, int(length) if length.isdecimal() else None, validator)


def _total_of_range(headers: HTTPMessage, start: int) -> int | None:
    found = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", headers.get("Content-Range", ""))
    if found is None or int(found[1]) != start:
        raise Refused(f"the server sends {headers.get('Content-Range')!r} where bytes from {start} on were asked for")
    return None if found[2] == "*" else int(found[2])


def of_status(error: HTTPError) -> Interrupted | Refused:
    """Return what a server's refusal means for the download."""
    if error.code in range(300, 400):  # those that lead somewhere are followed
        return Refused("it is redirected in a circle, or to nowhere: check the address")
    said = f"the server answers {error.code} ({responses.get(error.code, 'unknown')})"
    if error.code >= 500 or error.code in _BUSY or error.code == 416:
        asked = error.headers.get("Retry-After", "")
        return Interrupted(said, float(asked) if asked.isdecimal() else 0)
    return Refused(f"{said}: check the address, and whether it asks for a login")


def of_connection(error: OSError | HTTPException) -> Interrupted | Refused:
    """Return what a failed connection means for the download."""
    cause = error.reason if isinstance(error, URLError) else error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return Refused(f"the server's certificate is not valid ({cause.verify_message}): don't trust what it sends")
    if isinstance(cause, socket.gaierror) and cause.errno == socket.EAI_NONAME:
        return Refused("its host is not found: check the network")
    reason = getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
    return Interrupted(f"the connection failed ({reason})")


class _SafeRedirects(HTTPRedirectHandler):
    """Follows redirections to allowed addresses only, and from https never to http."""

    def http_error_302(self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage) -> Any:
        try:
            target = urljoin(req.full_url, headers.get("Location", ""))
        except ValueError:
            target = headers["Location"]
        if not is_allowed(target) or (req.type == "https" and urlsplit(target).scheme != "https"):
            fp.close()
            raise Refused(f"it is redirected to {target!r}, which is not https")
        return super().http_error_302(req, fp, code, msg, headers)

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302


def _opener() -> OpenerDirector:
    """Make an opener that knows no other scheme than http and https; only https goes through the user's proxy."""
    opener = OpenerDirector()
    proxies = {scheme: proxy for scheme, proxy in getproxies().items() if scheme == "https"}
    handlers = (HTTPHandler(), HTTPSHandler(), HTTPDefaultErrorHandler(), HTTPErrorProcessor(), _SafeRedirects())
    for handler in (ProxyHandler(proxies), *handlers):
        opener.add_handler(handler)
    return opener


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
