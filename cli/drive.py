"""Drive a run in this process: check its inputs, start Prefect, run the flow."""

import os
from collections.abc import Callable, Mapping
from typing import Any

from infra.config import RunConfig
from infra.observer import Observer, observed_by
from infra.prepare import prepare
from infra.records.store import Records
from infra.records.values import RunStatus
from infra.settings import Settings
from swarm.errors import InputError

PREFECT_DEFAULTS: Mapping[str, str] = {
    "PREFECT_LOGGING_LEVEL": "ERROR",
    "PREFECT_SERVER_LOGGING_LEVEL": "ERROR",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
    "DO_NOT_TRACK": "1",
}
"""What Prefect is told where the user's own settings say nothing: quiet, and patient with a slow machine."""


class Unfinished(Exception):
    """The run ended before it was done and can be resumed; the message says how."""


def drive(config: RunConfig, observer: Observer) -> dict[str, Any]:
    """Run or continue `config` and return its summary; a finished run's summary is returned as it is.

    Raises:
        InputError: a bad input; nothing was started.
        Unfinished: it was interrupted or asked to stop.

    """
    finished = _finished_summary(config)
    if finished is not None:
        return finished
    observer.phase("starting Prefect")
    for name, value in PREFECT_DEFAULTS.items():
        os.environ.setdefault(name, value)
    from prefect.exceptions import CancelledRun, TerminationSignal

    from flows.model_swarms import model_swarms

    flow: Callable[[RunConfig], Any] = model_swarms
    hint = f"resume it with: swarm resume {config.name}"
    try:
        with observed_by(observer):
            summary: dict[str, Any] = flow(config)
    except (KeyboardInterrupt, TerminationSignal) as error:
        raise Unfinished(f"interrupted; finished evaluations are kept: {hint}") from error
    except CancelledRun as error:
        raise Unfinished(f"stopped as asked; finished evaluations are kept: {hint}") from error
    except InputError:
        raise
    return summary


def _finished_summary(config: RunConfig) -> dict[str, Any] | None:
    """Check the inputs before Prefect starts (it takes seconds); return the summary if there is nothing to do."""
    settings = Settings()
    inputs = prepare(config, settings)
    with Records(settings.records_url) as records:
        if config.name not in {run.name for run in records.runs()}:
            return None
        record = records.start_run(config.name, config.algorithm, config.settings(), inputs.identity, config.seed)
        return record.summary if record.status is RunStatus.FINISHED else None
