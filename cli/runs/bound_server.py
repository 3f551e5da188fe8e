"""Prefect's embedded server, bound to the life of the process that starts it."""

import subprocess
from typing import Any

from prefect.server.api.server import SubprocessASGIServer

from cli.runs.process_guard import end_with_this_process


class BoundServer(SubprocessASGIServer):
    """The server that Prefect's clients in this process find: they share one list of instances with this class.

    It needs seconds to get ready, and `start` waits for that; it is bound before, as soon as its process is there.
    """

    def _run_uvicorn_command(self) -> "subprocess.Popen[Any]":
        process = super()._run_uvicorn_command()
        end_with_this_process(process.pid)
        return process
