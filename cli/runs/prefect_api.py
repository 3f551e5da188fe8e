"""The Prefect API that the user's settings name: looked at before a run, which would else wait for it for minutes."""

import os

from cli.runs.unfinished import RunUnfinished
from infra.settings import without_password

SECONDS_TO_CONNECT = 10.0
"""An API that takes no connection for so long is not there."""

SECONDS_TO_ANSWER = 120.0
"""One that takes it may be busy: a server over SQLite answers nobody while its database is locked."""


def require_prefect_api() -> None:
    """Check that the Prefect API answers, if the settings name one.

    Raises:
        RunUnfinished: it does not; the message says where its address comes from, and what to do.

    """
    from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

    url = PREFECT_API_URL.value()
    if not url:
        return
    import httpx
    from prefect.client.orchestration import get_client

    patience = httpx.Timeout(SECONDS_TO_ANSWER, connect=SECONDS_TO_CONNECT)
    with (
        temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}),
        get_client(httpx_settings={"timeout": patience}, sync_client=True) as client,
    ):
        error = client.api_healthcheck()
    if isinstance(error, (httpx.TransportError, httpx.InvalidURL)):
        source, remedy = _source()
        reason = str(error) or type(error).__name__
        raise RunUnfinished(
            f"failed: the Prefect API {without_password(url)} ({source}) does not answer ({reason}): start it, or {remedy}, "
            "then run the command again"
        )


def _source() -> tuple[str, str]:
    """Return where the API's address is set, and how to unset it."""
    if os.environ.get("PREFECT_API_URL"):
        return "PREFECT_API_URL of the environment", "unset PREFECT_API_URL"
    from prefect.context import get_settings_context

    profile = get_settings_context().profile.name
    return f"of the Prefect profile {profile!r}", "run 'prefect config unset PREFECT_API_URL'"
