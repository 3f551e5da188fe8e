import subprocess
import sys

import pytest

WAITS_FOR_EVER = """
import sys, threading
import cli.process
threading._register_atexit(threading.Event().wait)  # as Prefect's events and logs do, with nobody left to end it
cli.process.SECONDS_TO_END = 0.5
sys.argv = ["swarm", *{arguments}]
cli.process.swarm()
"""


@pytest.mark.parametrize(("arguments", "code"), [(["--help"], 0), (["report", "no such run"], 2), (["nothing"], 2)])
def test_process_ends_with_its_code_though_a_library_waits_for_ever(arguments: list[str], code: int) -> None:
    program = WAITS_FOR_EVER.format(arguments=arguments)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300)
    assert done.returncode == code
    assert bool(done.stdout) == (code == 0)
    assert bool(done.stderr) == (code != 0)
