import socket

import pytest
import yaml
from prefect.settings import PREFECT_API_URL, temporary_settings

from tests.cli.command_line import Command, World


def test_it_registers_the_search_and_its_sensor_and_says_what_to_do_next(
    command: Command, world: World, prefect_api: None
) -> None:
    outcome = command("deploy", world.config, "--cron", "0 6 * * *", "--on-new-data", world.data.parent, "--json")
    assert outcome.code == 0, outcome.err
    said = outcome.json
    assert (said["deployment"], said["sensor"], said["pool"]) == ("model-swarms/demo", "new-data/demo", "swarm")
    again = command("deploy", world.config)
    assert again.lines == [
        "registered: model-swarms/demo",
        "a worker:   prefect worker start --pool swarm",
        "a run:      prefect deployment run model-swarms/demo  (or from the UI's form)",
    ]


def test_no_server(command: Command, world: World) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/api"
    with temporary_settings({PREFECT_API_URL: url}):
        outcome = command("deploy", world.config)
    assert (outcome.code, outcome.error.startswith(f"error: PREFECT_API_URL is {url}, but no server answers")) == (
        2,
        True,
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--cron", "often"], "error: --cron 'often': is no cron expression"),
        (["--cron", "0 6 * * *", "--interval", "60"], "error: --cron and --interval: both say when to run"),
        (["--on-new-data", "nowhere/*.json"], "nowhere/*.json: there is no such file"),
        (["--set", "search.particles=1"], "field 'search.particles'"),
    ],
)
def test_a_mistake_is_refused_before_a_server_is_asked(
    command: Command, world: World, options: list[str], said: str
) -> None:
    outcome = command("deploy", world.config, *options)
    assert outcome.code == 2
    assert said in outcome.error


def test_a_name_without_room_for_the_datas_fingerprint_is_refused(command: Command, world: World) -> None:
    config = world.config.with_name("long.yaml")
    config.write_text(yaml.safe_dump({**yaml.safe_load(world.config.read_text()), "name": "x" * 60}))
    outcome = command("deploy", config, "--on-new-data", world.data)
    assert outcome.code == 2
    assert "use 1 to 64 letters" in outcome.error
