"""Find the Prefect server at which searches are deployed."""

import httpx
from prefect.settings import PREFECT_API_URL

from infra.settings import without_password
from swarm.errors import InputError

_ANSWERS_WITHIN = 60.0
"""Seconds: a server on SQLite that several runs write to may take long; where none is, that is known at once."""
_START = "start one with 'prefect server start'"


def require_server() -> str:
    """Return the URL of the API of the Prefect server that the user's settings name.

    Raises:
        InputError: they name none, or none answers there.

    """
    url = PREFECT_API_URL.value()
    if not url:
        raise InputError(f"PREFECT_API_URL is not set: {_START} and set it to http://127.0.0.1:4200/api")
    require_plain_address(url)
    try:
        httpx.get(f"{url}/health", timeout=_ANSWERS_WITHIN)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        reason = str(error) or type(error).__name__
        raise InputError(f"PREFECT_API_URL is {url}, but no server answers there ({reason}): {_START}") from error
    return str(url)


def require_plain_address(url: str) -> None:
    """Raise `InputError` if a password may stand in `url`: Prefect's own messages would show it."""
    if without_password(url) != url:
        raise InputError(
            "PREFECT_API_URL may hold a password: write http(s)://HOST[:PORT]/api, and a user with a password, as "
            "user:password, into PREFECT_API_AUTH_STRING"
        )
