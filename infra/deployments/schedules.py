"""Schedules: when a deployment runs by itself."""

from datetime import timedelta

from prefect.client.schemas.schedules import CronSchedule
from prefect.schedules import Cron, Interval, Schedule
from pydantic import ValidationError

from swarm.errors import InputError

LOOK_EVERY = 60.0
"""The seconds between two checks of data without a schedule of its own: a check takes about a second."""


def schedule(cron: str | None, interval: float | None, timezone: str | None = None) -> Schedule:
    """Return the schedule of `cron`, or of every `interval` seconds; without both, of every `LOOK_EVERY` seconds.

    Raises:
        InputError: both are given, or `cron` is none.

    """
    if cron is None:
        return Interval(timedelta(seconds=LOOK_EVERY if interval is None else interval))
    if interval is not None:
        raise InputError("--cron and --interval: both say when to run: give one of them")
    try:
        CronSchedule(cron=cron, timezone=timezone)
    except (ValidationError, ValueError) as error:
        raise InputError(f"--cron {cron!r}: is no cron expression: write five fields, as in '0 6 * * *'") from error
    return Cron(cron, timezone=timezone)
