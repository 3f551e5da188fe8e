"""The Prefect server that a run without one starts for itself: it must never outlive the run.

Prefect ends it when the interpreter exits, which a killed process doesn't do: its server would stay for ever.
"""

import os
import secrets


def start_embedded_server() -> None:
    """Start a server, as Prefect's first request would, unless the user's settings name one.

    It listens on loopback, where other users of the machine and web pages in a browser could reach it: it answers only
    who has a password that this process makes for it.

    Raises:
        InputError: the settings name one by an address that may hold a password.

    """
    from prefect.settings import PREFECT_API_URL, PREFECT_SERVER_EPHEMERAL_ENABLED

    if url := PREFECT_API_URL.value():
        from infra.deployments.server import require_plain_address

        require_plain_address(url)
        return
    if not PREFECT_SERVER_EPHEMERAL_ENABLED.value():
        return
    from prefect.context import refresh_global_settings_context

    from cli.runs.bound_server import BoundServer

    password = f"swarm:{secrets.token_urlsafe(32)}"
    for name in ("PREFECT_SERVER_API_AUTH_STRING", "PREFECT_API_AUTH_STRING"):
        os.environ[name] = password
    refresh_global_settings_context()
    BoundServer().start()
