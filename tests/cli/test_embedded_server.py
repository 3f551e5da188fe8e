import signal
import subprocess
import sys

import pytest

OWNER = """
import subprocess, sys, time
from cli.embedded_server import end_with_this_process
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
