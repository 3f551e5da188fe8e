import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

pytestmark = [pytest.mark.server, pytest.mark.slow]
OWNER = """
import subprocess, sys, time
from cli.runs.process_guard import end_with_this_process
server = subprocess.Popen([sys.executable, "-c", "import time; print('serving', flush=True); time.sleep(600)"])
end_with_this_process(server.pid)
time.sleep(600)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_server_ends_with_the_process_that_started_it_however_that_is_killed(how: signal.Signals) -> None:
    owner = subprocess.Popen([sys.executable, "-c", OWNER], stdout=subprocess.PIPE)
    assert owner.stdout is not None
    assert owner.stdout.readline() == b"serving\n"
    owner.send_signal(how)
    # The server has the other end of its output: that it closes is how one sees that the server is gone.
    assert owner.communicate(timeout=60) == (b"", None)
    assert owner.returncode == -how


STARTING = """
from prefect.server.api.server import SubprocessASGIServer
from cli.runs.bound_server import BoundServer
from cli.runs.embedded_server import start_embedded_server
bound = BoundServer()
print("found by Prefect's clients:", SubprocessASGIServer() is bound, flush=True)
start_embedded_server()
"""


def test_a_server_that_is_still_starting_ends_with_its_process_too(tmp_path: Path) -> None:
    elsewhere = {key: value for key, value in os.environ.items() if key != "PREFECT_API_URL"}
    environment = {**elsewhere, "PREFECT_HOME": str(tmp_path)}
    owner = subprocess.Popen([sys.executable, "-c", STARTING], stdout=subprocess.PIPE, env=environment)
    assert owner.stdout is not None
    assert owner.stdout.readline() == b"found by Prefect's clients: True\n"
    server = first_child(psutil.Process(owner.pid), "uvicorn")
    owner.kill()
    assert server.net_connections() == []  # it listens to nobody yet
    assert owner.communicate(timeout=60) == (b"", None)  # whoever had the output is gone


def first_child(process: psutil.Process, program: str) -> psutil.Process:
    """Return the first child process that runs `program`, as soon as its watcher is there too."""
    while True:
        assert process.is_running()
        children = process.children()
        result = [child for child in children if program in child.cmdline()]
        if result and len(children) > 1:
            return result[0]
        time.sleep(0.001)


GUARDED = """
import asyncio, json, os
import httpx
from cli.runs.drive import PREFECT_DEFAULTS
os.environ.update(PREFECT_DEFAULTS)
from prefect import flow, get_client, task
from prefect.server.api.server import SubprocessASGIServer
from cli.runs.embedded_server import start_embedded_server

start_embedded_server()

@task
def double(number):
    return 2 * number

@flow
def doubled(number):
    return double.submit(number).result()

async def names():
    async with get_client() as client:
        while True:  # states of tasks are events, which are written in batches
            task_runs = [run.state_name for run in await client.read_task_runs()]
            if task_runs == ["Completed"]:
                return [*task_runs, *[run.state_name for run in await client.read_flow_runs()]]
            await asyncio.sleep(0.2)

assert doubled(4) == 8
address = SubprocessASGIServer().address
web_page = {"origin": "http://web-page.example", "host": "web-page.example"}
replies = [
    httpx.post(f"{address}/api/flows/filter", json={}, headers=web_page, trust_env=False),
    httpx.get(f"{address}/api/health", headers=web_page, trust_env=False),
]
answers = [[reply.status_code, reply.headers.get("access-control-allow-origin")] for reply in replies]
print(json.dumps([[asyncio.run(names())], answers]))
"""


def test_a_web_page_can_t_use_the_server_and_the_run_can(tmp_path: Path) -> None:
    elsewhere = {key: value for key, value in os.environ.items() if key != "PREFECT_API_URL"}
    environment = {**elsewhere, "PREFECT_HOME": str(tmp_path)}
    script = tmp_path / "guarded.py"
    script.write_text(GUARDED)
    ended = subprocess.run([sys.executable, script], stdout=subprocess.PIPE, env=environment, timeout=300, check=True)
    assert json.loads(ended.stdout) == [[["Completed", "Completed"]], [[401, None], [200, None]]]
