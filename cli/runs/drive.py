"""Drive a run in this process: check its inputs, start Prefect, run the flow."""

import os
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from cli.runs.embedded_server import start_embedded_server
from cli.runs.prefect_api import require_prefect_api
from cli.runs.summary import print_summary
from cli.runs.unfinished import RunUnfinished
from cli.terminal.console import err, print_json
from cli.terminal.live import live_display
from flows.searches import SEARCHES, prepare
from infra.configs.common import RunConfig
from infra.files.run_folder import RunFolder
from infra.observing.observer import Observer, use_observer
from infra.records.store import Records
from infra.records.values import RunStatus
from infra.settings import Settings

if TYPE_CHECKING:
    from infra.evaluation.inputs import RunInputs

PREFECT_DEFAULTS: Mapping[str, str] = {
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_SERVER_LOGGING_LEVEL": "ERROR",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": "http://127.0.0.1",  # Prefect's own default lets every web page ask
    "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
    # A server over SQLite answers 503 while something else keeps its database locked: minutes, on a busy machine.
    "PREFECT_CLIENT_MAX_RETRIES": "12",
    # The embedded server writes task states in batches: one by one, they keep its SQLite locked just when a task asks
    # for its place, which answers 503 and costs a wait of 2 s, in most iterations.
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "100",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "100",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "2",
    "DO_NOT_TRACK": "1",
}
"""Settings of Prefect, where the user set none: quiet, and patient with a slow machine."""


def drive_and_print(config: RunConfig, as_json: bool) -> None:
    """Run or continue `config`, shown live on stderr, and print its summary; raises as `drive` does."""
    with live_display(config) as observer:
        summary = drive(config, observer)
    if as_json:
        print_json(summary)
    else:
        print_summary(summary, SEARCHES.of(config).summary_text(summary), RunFolder(Settings().runs, config.name))


def drive(config: RunConfig, observer: Observer) -> dict[str, Any]:
    """Run or continue `config` and return its summary; a finished run's summary is returned as it is.

    Raises:
        InputError: a bad input; nothing was started.
        RunUnfinished: it was interrupted or asked to stop.

    """
    settings = Settings()
    inputs = prepare(config, settings)  # before Prefect starts: that takes seconds
    summary = _finished_summary(config, inputs, settings)
    if summary is not None:
        return summary
    for warning in inputs.objective.warnings:
        err.print(f"warning: {warning}", soft_wrap=True)
    from infra.run.prepare import hand_over  # imports PyTorch: not for `swarm --help`

    try:
        with interrupt_on_sigterm(), hand_over(config, inputs):
            return _run_flow(config, observer)
    except KeyboardInterrupt as error:
        raise RunUnfinished(f"interrupted; finished evaluations are kept: {_hint(config)}") from error


def _run_flow(config: RunConfig, observer: Observer) -> dict[str, Any]:
    observer.phase("starting Prefect")
    for name, value in PREFECT_DEFAULTS.items():
        os.environ.setdefault(name, value)
    from prefect.exceptions import CancelledRun

    flow = SEARCHES.of(config).load_flow()
    start_embedded_server()
    require_prefect_api()
    try:
        with use_observer(observer):
            summary: dict[str, Any] = flow(config)
    except CancelledRun as error:
        raise RunUnfinished(f"stopped as asked; finished evaluations are kept: {_hint(config)}") from error
    return summary


def _hint(config: RunConfig) -> str:
    return f"resume it with: swarm resume {config.name}"


@contextmanager
def interrupt_on_sigterm() -> Iterator[None]:
    """Let SIGTERM end the block as Ctrl-C does: Prefect would end the process on the spot, and leave its server."""
    if threading.current_thread() is not threading.main_thread():  # only there can signals be caught
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _finished_summary(config: RunConfig, inputs: "RunInputs", settings: Settings) -> dict[str, Any] | None:
    """Return the summary if there is nothing to do; refuse a run of that name that differs."""
    with Records(settings.records_url) as records:
        if not records.has_run(config.name):
            return None
        record = records.start_run(config.name, config.algorithm, config.settings(), inputs.identity, config.seed)
        return record.summary if record.status is RunStatus.FINISHED else None
