"""Deploy a search, break whatever runs it, and see that it finishes by itself as if nothing had happened.

    python -m bench.operating.ops_test

On the loopback: PostgreSQL for the Prefect server and for the records, a Prefect server, a worker, a Ray cluster of two
nodes, and a search of a tiny random Llama over a pool of two actors. Each in the middle of an iteration: an actor of
the pool is killed; a node of the cluster is lost; the flow run's process is killed while it holds every slot of the
limit on the tag `gpu` (another run, started right then, must get one); worker and flow run's process are killed
together, and a worker is started again. Nobody touches the run. It has to end with the same state as an undisturbed run
without Ray, with no finished evaluation made twice. Everything is stopped at the end.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench.operating.api import Api
from bench.operating.disturbed import ACTORS, DisturbedRun
from bench.operating.services import Services, start_services
from bench.operating.telling import say, took, wait_for
from infra.records.store import Records
from infra.records.values import RunStatus
from tests.prefect_worker import prefect_worker
from tests.swarm_command import swarm
from tests.tiny_search import RUN, make_search

ROOT = Path(__file__).resolve().parents[2]
SEARCH = ["--set", "search.max_iterations=14", "--set", "search.patience=20", "--set", "engine.group_size=2"]


def main() -> int:
    """Print what happened, a line a step, and the verdict; return the exit code."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # stops everything on its way out, as Ctrl-C does
    with tempfile.TemporaryDirectory(prefix="ops-", ignore_cleanup_errors=True) as name, ExitStack() as stack:
        folder = Path(name)
        config = make_search(folder)
        services = start_services(stack, folder)
        apart = alone(services, folder / "undisturbed")
        with took("undisturbed run"):
            expected = json.loads(swarm(["run", str(config), *SEARCH, "--json"], apart))
        say(f"  state {expected['state_sha256'][:16]}")
        return verdict(expected, disturbed(stack, config, services, folder), services.records_url)


def verdict(expected: dict[str, Any], summary: dict[str, Any], records_url: str) -> int:
    """Compare the two runs; return 0 if nothing differs and nothing was done twice."""
    with Records(records_url) as records:
        repeated = sum(group.finished > 1 for group in records.evaluation_groups())
    same = all(summary[key] == expected[key] for key in ("state_sha256", "best_adapter_sha256"))
    say(f"disturbed run: state {summary['state_sha256'][:16]}, {repeated} finished evaluation groups repeated")
    say("passed: the same state and adapter, nothing repeated" if same and not repeated else "FAILED")
    return 0 if same and not repeated else 1


def disturbed(stack: ExitStack, config: Path, services: Services, folder: Path) -> dict[str, Any]:
    """Deploy the search over Ray, start it, break things, and return its summary."""
    environment = services.environment
    pool = {"kind": "ray", "ray.address": services.ray.address, "ray.actors": ACTORS}
    engine = [word for field, value in pool.items() for word in ("--set", f"engine.{field}={value}")]
    deploy = ["deploy", str(config), *SEARCH, *engine, "--gpu-limit", str(ACTORS), "--json"]
    deployment = json.loads(swarm(deploy, environment))["deployment"]
    worker = stack.enter_context(prefect_worker(environment, folder / "worker.log"))
    api, records = Api(environment["PREFECT_API_URL"]), stack.enter_context(Records(services.records_url))
    run = DisturbedRun(api, api.start(deployment), records, folder / "runs" / RUN / "run.log")
    with took("worker's start of the run"):
        wait_for("the run begins", lambda: run.state == "RUNNING")
    run.lose_an_actor(after=1)
    run.lose_a_node(services.ray.lose_the_second, after=3)
    run.kill_holder_of_slots(after=5)
    with took("  until another run, which waited for a slot, is finished"):
        other = stack.enter_context(started(config, alone(services, folder / "other"), folder / "other.log"))
        stack.callback(other.kill)
        with run.restarted():
            pass
        wait_for("the other run ends", lambda: other.poll() is not None)
    if other.returncode:
        said = (folder / "other.log").read_text()[-4000:]
        raise RuntimeError(f"the other run ended with {other.returncode}:\n{said}")
    run.kill_with(worker, after=8)
    with run.restarted():
        worker.restart()
    with took("rest of the run"):
        wait_for("the run ends", lambda: run.state in {"COMPLETED", "FAILED"})
    record = records.run(RUN)
    if run.state != "COMPLETED" or record.status is not RunStatus.FINISHED or record.summary is None:
        raise RuntimeError(f"the run is {record.status}: {record.error}\n{(folder / 'worker.log').read_text()[-4000:]}")
    return record.summary


def alone(services: Services, runs: Path) -> dict[str, str]:
    """Return the environment of a run with records of its own: it must not find another one's evaluations."""
    environment = {key: value for key, value in services.environment.items() if key != "SWARM_DATABASE_URL"}
    return {**environment, "SWARM_RUNS": str(runs)}


def started(config: Path, environment: dict[str, str], log: Path) -> "subprocess.Popen[bytes]":
    """Start `swarm run` for a short search, which writes into `log`."""
    arguments = ["run", str(config), "--set", "search.max_iterations=1", "--json"]
    command = [sys.executable, "-m", "cli", *arguments]
    with log.open("wb") as said:
        return subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environment}, stdout=said, stderr=said)


if __name__ == "__main__":
    sys.exit(main())
