import socket

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from infra.deployments.server import require_server
from swarm.errors import InputError


def test_no_server_named() -> None:
    with temporary_settings(restore_defaults={PREFECT_API_URL}), pytest.raises(InputError) as refused:
        require_server()
    assert str(refused.value).startswith("PREFECT_API_URL is not set: start one with 'prefect server start' and set it")


def test_nobody_answers() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/api"
    with temporary_settings({PREFECT_API_URL: url}), pytest.raises(InputError) as refused:
        require_server()
    [line] = str(refused.value).splitlines()
    assert line.startswith(f"PREFECT_API_URL is {url}, but no server answers there (")
    assert line.endswith("): start one with 'prefect server start'")
