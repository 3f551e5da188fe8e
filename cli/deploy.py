"""`swarm deploy`: a search as a deployment of a Prefect server."""

from pathlib import Path
from typing import Annotated, Any, cast

import typer

from cli.terminal.console import out, print_json
from cli.terminal.options import AsJson, Overrides
from flows.searches import SEARCHES, load_run_config
from infra.configs.common import RunConfig
from infra.deployments.fingerprint import fingerprint
from infra.deployments.reruns import rerun_name
from infra.settings import Settings

POOL = "swarm"

Pool = Annotated[str, typer.Option("--pool", help="The work pool whose workers run it; made if it is missing.")]
CronOption = Annotated[str | None, typer.Option("--cron", help="Look for new data when this says, e.g. '0 6 * * *'.")]
IntervalOption = Annotated[
    float | None, typer.Option("--interval", min=1.0, metavar="SECONDS", help="Look for new data so often.")
]
OnNewData = Annotated[
    list[str] | None,
    typer.Option("--on-new-data", metavar="DIR|GLOB", help="Look at these files instead of the objective's data."),
]
Cold = Annotated[bool, typer.Option("--cold", help="Begin searches on new data anew, not from the run before.")]
Automation = Annotated[
    bool, typer.Option("--automation/--no-automation", help="Let the server start crashed runs again.")
]
GpuLimit = Annotated[
    int | None, typer.Option("--gpu-limit", min=1, help="Tasks that use GPUs at once, of all runs at this server.")
]


def deploy(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="The run's YAML file.")],
    overrides: Overrides = None,
    pool: Pool = POOL,
    cron: CronOption = None,
    interval: IntervalOption = None,
    on_new_data: OnNewData = None,
    cold: Cold = False,
    automation: Automation = True,
    gpu_limit: GpuLimit = None,
    as_json: AsJson = False,
) -> None:
    """Register a search at the Prefect server: run it from the UI's form or on new data, on any worker."""
    from infra.deployments.automations import crash_automations, install
    from infra.deployments.gpu_limit import limit_gpu_tasks
    from infra.deployments.schedules import schedule
    from infra.deployments.server import require_server

    run_config = load_run_config(config, overrides or [])
    watch_patterns = _watch_patterns(on_new_data or [], run_config)
    when = schedule(cron, interval) if cron or interval or on_new_data else None
    server = require_server()
    deployment, sensor = _register(run_config, pool, when, watch_patterns, warm_start=not cold)
    if automation:
        install(crash_automations())
    if gpu_limit is not None:
        limit_gpu_tasks(gpu_limit)
    if as_json:
        print_json({"deployment": deployment, "sensor": sensor, "pool": pool, "server": server})
    else:
        _print_next(deployment, sensor, pool)


def _watch_patterns(patterns: list[str], config: RunConfig) -> list[str]:
    """Return the patterns as workers elsewhere understand them; refuse what names nothing, and names without room."""
    watch_patterns = [str(Path(pattern).expanduser().absolute()) for pattern in patterns]
    if watch_patterns:
        rerun_name(config.name, fingerprint(watch_patterns))
    return watch_patterns


def _register(
    config: RunConfig, pool: str, when: Any, watch_patterns: list[str], warm_start: bool
) -> tuple[str, str | None]:
    """Register the search, and the sensor that starts it if it is to be started by itself; return their names."""
    from flows.new_data import new_data
    from infra.deployments.registering import register, unregister

    settings = Settings()
    flow = cast(Any, SEARCHES.of(config).load_flow())
    search = register(flow, config.name, {"config": config.model_dump(mode="json")}, pool, settings)
    if when is None:
        unregister(new_data, config.name)
        return search, None
    parameters = {"deployment": search, "watch": watch_patterns, "warm_start": warm_start}
    return search, register(new_data, config.name, parameters, pool, settings, when)


def _print_next(deployment: str, sensor: str | None, pool: str) -> None:
    out.print(f"registered: {deployment}", soft_wrap=True)
    if sensor is not None:
        out.print(f"started by: {sensor}, when the data is new", soft_wrap=True)
    out.print(f"a worker:   prefect worker start --pool {pool}", soft_wrap=True)
    out.print(f"a run:      prefect deployment run {deployment}  (or from the UI's form)", soft_wrap=True)
