"""How the command ends: as a process of its own, where what is tested is a process's, else `main()` in this one."""

import errno
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

import cli.endings
from cli.endings import ending_of
from cli.machine.loopback import connect_directly_to_loopback
from cli.runs.prefect_api import require_prefect_api
from cli.runs.unfinished import RunUnfinished
from infra.downloads.download import DownloadError
from infra.settings import Settings
from swarm.errors import EvaluationError, InputError
from tests.cli.command_line import Command

NO_TEXT = "error: the argument '\\udcff' is not valid text: write it in the terminal's encoding\n"
SWARM = f"{sys.executable} -m cli"


def shell(command: str, folder: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", command], cwd=folder, env=os.environ | environment, capture_output=True, text=True, timeout=300
    )


@pytest.mark.parametrize(
    ("error", "line", "code"),
    [
        (InputError("x: wrong"), "error: x: wrong", 2),
        (EvaluationError("no answer"), "failed: no answer", 1),
        (DownloadError("no answer"), "failed: no answer", 1),
        (RunUnfinished("resume it"), "resume it", 1),
        (MemoryError(), "failed: no memory is left: free some memory and run the command again", 1),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), "", 1),
        (
            OSError(errno.ENOSPC, "No space left on device", "/runs/a"),
            "failed: /runs/a: No space left on device: free some space and run the command again",
            1,
        ),
        (
            PermissionError(errno.EACCES, "Permission denied", "/runs/a"),
            "failed: /runs/a: Permission denied: change its permissions, or choose another folder "
            "(SWARM_RUNS, SWARM_CACHE)",
            1,
        ),
    ],
)
def test_each_kind_of_failure_has_its_line_and_code(error: Exception, line: str, code: int) -> None:
    assert ending_of(error) == cli.endings.Ending(line, code)


def test_a_defect_is_one_line_and_a_file_without_secrets(
    command: Command, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWARM_JUDGE_API_KEY", "sesame-open")

    def broken(_: Settings) -> None:
        raise KeyError("sesame-open\x1b[31m")

    monkeypatch.setattr(Settings, "records_url", property(broken))
    settings.runs.mkdir()
    (settings.runs / ".swarm").mkdir()
    (settings.runs / ".swarm" / "records.db").touch()
    outcome = command("status")
    assert outcome.code == 1
    assert "a defect of Model Swarms: KeyError: '<SWARM_JUDGE_API_KEY>" in outcome.error
    [report] = (settings.cache / "defects").iterdir()
    assert str(report) in outcome.error
    assert "in broken" in report.read_text() and "sesame-open" not in report.read_text()


def test_a_command_whose_current_folder_was_removed_says_so(tmp_path: Path) -> None:
    done = shell(
        f"mkdir gone && cd gone && rmdir ../gone && SWARM_RUNS=runs PYTHONPATH={Path.cwd()} {SWARM} status", tmp_path
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: SWARM_RUNS: ") and "The current folder was removed" in done.stderr


@pytest.mark.parametrize(
    ("ending", "code", "error"),
    [
        ("doctor >/dev/full", 1, "failed: No space left on device: free some space and run the command again\n"),
        ("doctor | head -0; exit ${PIPESTATUS[0]}", 1, ""),
        ("doctor >&-", 0, ""),
        ("report nothing 2>/dev/full", 2, ""),
        ("report nothing 2>&-", 2, ""),
        (
            "report $'\\xff'",
            2,
            "error: the argument '\\udcff' is not valid text: write it in the terminal's encoding\n",
        ),
    ],
)
def test_output_that_cannot_be_written_and_arguments_that_are_no_text(ending: str, code: int, error: str) -> None:
    done = shell(f"{SWARM} {ending}")
    assert (done.returncode, done.stderr) == (code, error)


def test_text_that_the_terminal_cannot_show_is_written_out() -> None:
    done = shell(f"{SWARM} report '–\x1b[31m–'", PYTHONIOENCODING="ascii")
    assert done.returncode == 2
    assert done.stderr.isascii() and done.stderr.count("\n") == 1 and "\x1b" not in done.stderr


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of somebody who takes connections and never answers."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, None),
        ({"NO_PROXY": "a"}, None),
        ({"HTTP_PROXY": "p"}, "localhost,127.0.0.1,::1"),
        ({"https_proxy": "p", "NO_PROXY": "a, ::1"}, "a,::1,localhost,127.0.0.1"),
        ({"ALL_PROXY": "p", "no_proxy": "*"}, "*"),
    ],
)
def test_loopback_is_added_to_what_no_proxy_is_asked_for(
    before: Mapping[str, str], after: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = dict(before)
    monkeypatch.setattr(os, "environ", environment)
    connect_directly_to_loopback()
    if after is None:
        assert environment == before
    else:
        assert environment["NO_PROXY"] == environment["no_proxy"] == after


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_proxy_that_never_answers_is_not_asked_for_the_api_of_this_machine(
    silent: str, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://{silent}")
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("no_proxy", "")
    connect_directly_to_loopback()
    with (
        temporary_settings({PREFECT_API_URL: f"http://{host}:9/api"}),
        pytest.raises(RunUnfinished, match="refused"),  # by port 9 of this machine: the proxy would be silent
    ):
        require_prefect_api()


@pytest.mark.parametrize(
    ("source", "shown", "remedy"),
    [
        ("set", "PREFECT_API_URL of the environment", "or unset PREFECT_API_URL,"),
        (None, "of the Prefect profile '", "or run 'prefect config unset PREFECT_API_URL',"),
    ],
)
def test_an_api_that_does_not_answer_is_named_with_where_its_address_is_set(
    silent: str, source: str | None, shown: str, remedy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.runs.prefect_api.SECONDS_TO_ANSWER", 0.2)
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    if source is not None:
        monkeypatch.setenv("PREFECT_API_URL", source)
    with (
        temporary_settings({PREFECT_API_URL: f"http://user:hidden@{silent}/api"}),
        pytest.raises(RunUnfinished) as refusal,
    ):
        require_prefect_api()
    message = str(refusal.value)
    assert f"@{silent}/api ({shown}" in message and ") does not answer (" in message
    assert remedy in message and "hidden" not in message


def test_an_api_that_is_busy_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.runs.prefect_api.SECONDS_TO_CONNECT", 0.2)
    answered = []

    def answer_late(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(65536)
            time.sleep(1)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Type: application/json\r\n\r\ntrue")
            answered.append(True)

    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        threading.Thread(target=answer_late, args=(server,), daemon=True).start()
        with temporary_settings({PREFECT_API_URL: f"http://127.0.0.1:{server.getsockname()[1]}/api"}):
            require_prefect_api()
    assert answered
