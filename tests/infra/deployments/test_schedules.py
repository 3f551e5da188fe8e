from datetime import timedelta

import pytest

from infra.deployments.schedules import schedule
from swarm.errors import InputError


def test_cron_and_interval_say_when() -> None:
    assert schedule("0 6 * * *", None).cron == "0 6 * * *"
    assert schedule(None, 90.0).interval == timedelta(seconds=90)


def test_without_either_it_is_every_minute() -> None:
    assert schedule(None, None).interval == timedelta(minutes=1)


def test_both_are_refused() -> None:
    with pytest.raises(InputError, match="--cron and --interval: both say when to run: give one of them"):
        schedule("0 6 * * *", 90.0)


@pytest.mark.parametrize("cron", ["every day", "61 * * * *", ""])
def test_what_is_no_cron_expression_is_refused(cron: str) -> None:
    with pytest.raises(InputError) as refused:
        schedule(cron, None)
    assert str(refused.value) == f"--cron {cron!r}: is no cron expression: write five fields, as in '0 6 * * *'"
