"""A JSON service over HTTP: requests are repeated where that may help, and no message shows its key.

`httpx` comes with Prefect. The services' own client packages would each bring a tree of dependencies for one POST.
"""

import re
import threading
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
from pydantic import SecretStr

from infra.scorers.counter import Counts
from infra.scorers.stop import Stop
from swarm.errors import EvaluationError, InputError

T = TypeVar("T")

_ATTEMPTS = 6
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0
_LONGEST_QUOTE = 200


@dataclass(frozen=True)
class Service:
    """The address of a service, and the key that it takes.

    Attributes:
        name: what messages call it.
        url: its address, without user, password or query.
        variables: the variables that say where it is, and what opens it.
        header: the header that carries the key.
        scheme: what stands before the key there.
        key: None: the service asks for none.
        timeout: seconds that an answer may take.
        per_second: requests at most; None: no limit.

    """

    name: str
    url: str
    variables: tuple[str, str]
    header: str
    scheme: str
    key: SecretStr | None
    timeout: float
    per_second: float | None = None

    def __post_init__(self) -> None:
        if not _is_plain(self.url):
            raise InputError(
                f"{self.variables[0]} is no plain http(s) address: write http(s)://HOST[:PORT]/PATH, "
                f"and a key into {self.variables[1]}"
            )
        if self.key is not None and not re.fullmatch("[!-~]+", self.key.get_secret_value()):
            raise InputError(f"{self.variables[1]} holds a space, a line break or a letter that no key has: correct it")


class Endpoint:
    """A connection to a service, for any number of threads."""

    def __init__(self, service: Service, stop: Stop, counts: Counts) -> None:
        self._service, self._stop, self._counts = service, stop, counts
        self._client = httpx.Client(auth=_Key(service), timeout=service.timeout, follow_redirects=False)
        self._turn = threading.Lock()
        self._next = 0.0

    def post(self, path: str, body: dict[str, Any], read: Callable[[dict[str, Any]], T]) -> T:
        """Return what `read` finds in the answer to `body`; it may raise `KeyError`, `TypeError`, `ValueError`, ….

        Asked up to 6 times, with growing pauses (or as long as the service says), after a time-out, a broken
        connection, the statuses 408, 429 and 5xx, and answers that can't be read.

        Raises:
            EvaluationError: it failed each time, or the service refuses this request.
            InputError: the service refuses the key, or does not know the address or the model.

        """
        problem = ""
        for attempt in range(_ATTEMPTS):
            self._wait_for_turn()
            self._counts.add(requests=1)
            pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**attempt)
            try:
                response = self._client.post(self._service.url.rstrip("/") + path, json=body)
            except httpx.HTTPError as error:  # its text may quote what was sent
                problem = f"failed ({type(error).__name__})"
            else:
                if response.status_code == httpx.codes.OK:
                    try:
                        return read(response.json())
                    except (ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError):
                        problem = "gave an answer of another form than it should have"
                else:
                    self._refuse_for_good(response)
                    problem, pause = f"answered {response.status_code}", _retry_pause(response, pause)
            if attempt + 1 < _ATTEMPTS:
                self._counts.add(retries=1)
                self._stop.wait(pause)
        raise EvaluationError(f"{self._service.name} at {self._service.url} {problem}, {_ATTEMPTS} times in a row")

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _wait_for_turn(self) -> None:
        self._stop.check()
        if self._service.per_second is None:
            return
        with self._turn:
            now = time.monotonic()
            begin = max(now, self._next)
            self._next = begin + 1.0 / self._service.per_second
        self._stop.wait(begin - now)

    def _refuse_for_good(self, response: httpx.Response) -> None:
        """Raise if the status means that asking again can't help; return for the other statuses."""
        status, service = response.status_code, self._service
        address, key = service.variables
        if status in (401, 403):
            raise InputError(f"{service.name} at {service.url} refuses the key (status {status}): correct {key}")
        if status == 404 or 300 <= status < 400:
            raise InputError(
                f"{service.name} at {service.url} answers {status}: correct {address}, or the name of the model"
            )
        if status not in (408, 429) and status < 500:
            raise EvaluationError(f"{service.name} at {service.url} answers {status}: {self._quote(response)}")

    def _quote(self, response: httpx.Response) -> str:
        """Return the beginning of the service's answer, on one line, without the key, which some services repeat."""
        text = response.text
        if self._service.key is not None:
            text = text.replace(self._service.key.get_secret_value(), "…")
        return " ".join(text.split())[:_LONGEST_QUOTE]


class _Key(httpx.Auth):
    """Adds the key as a request leaves, so that no other object holds it in the clear."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        key = self._service.key
        if key is not None:
            request.headers[self._service.header] = f"{self._service.scheme}{key.get_secret_value()}"
        yield request


def _retry_pause(response: httpx.Response, otherwise: float) -> float:
    """Return the seconds that the service asks to wait, within reason."""
    try:
        seconds = float(response.headers.get("Retry-After", ""))
    except ValueError:  # none, or a date
        return otherwise
    return min(_LONGEST_PAUSE, seconds) if seconds >= 0 else otherwise


def _is_plain(url: str) -> bool:
    try:
        address = httpx.URL(url)
    except httpx.InvalidURL:
        return False
    secret = address.userinfo or address.query or address.fragment
    return address.scheme in ("http", "https") and re.fullmatch(r"[\w.:-]+", address.host) is not None and not secret
