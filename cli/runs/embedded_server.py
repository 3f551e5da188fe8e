"""The Prefect server that a run without one starts for itself: it must never outlive the run.

Prefect ends it when the interpreter exits, which a killed process doesn't do: its server would stay for ever.
"""

def start_embedded_server() -> None:
    """Start a server, as Prefect's first request would, unless the user's settings name one."""
    from prefect.settings import PREFECT_API_URL, PREFECT_SERVER_EPHEMERAL_ENABLED

    if PREFECT_API_URL.value() or not PREFECT_SERVER_EPHEMERAL_ENABLED.value():
        return
    from cli.runs.bound_server import BoundServer

    BoundServer().start()
