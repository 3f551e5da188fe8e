"""What `swarm doctor` says of a Prefect server: real ones, on loopback."""

from pathlib import Path
from typing import Any

import pytest
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings

from tests.cli.command_line import Command
from tests.prefect_server import prefect_server

pytestmark = [pytest.mark.server, pytest.mark.slow]
EVERY_PAGE = "it lets every web page ask (CORS)"
NO_PASSWORD = "it asks for no password, so that programs and web pages on this machine can use it"
PASSWORD = "me:canary-4711"


@pytest.mark.parametrize(
    ("settings", "problems"),
    [
        ({"PREFECT_SERVER_CORS_ALLOWED_ORIGINS": "*"}, [NO_PASSWORD, EVERY_PAGE]),
        ({"PREFECT_SERVER_API_AUTH_STRING": PASSWORD}, []),
    ],
    ids=["as Prefect starts it", "as the docs say"],
)
def test_a_server_that_lets_web_pages_in_is_named(
    tmp_path: Path, command: Command, settings: dict[str, str], problems: list[str]
) -> None:
    with prefect_server(tmp_path / "prefect", settings) as environment:
        url = environment["PREFECT_API_URL"]
        check = _check(command, url)
    assert check["found"] == (f"{url}, but {' and '.join(problems)}" if problems else url)
    assert check["status"] == ("optional" if problems else "ok")
    assert ("PREFECT_SERVER_API_AUTH_STRING" in check["remedy"]) is bool(problems)


def _check(command: Command, url: str) -> dict[str, Any]:
    with temporary_settings({PREFECT_API_URL: url, PREFECT_API_AUTH_STRING: PASSWORD}):
        outcome = command("doctor", "--json")
    assert outcome.code == 0
    [check] = [check for check in outcome.json if check["name"] == "Prefect API"]
    return dict(check)
