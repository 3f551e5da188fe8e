"""The `swarm` command: what is offered, and how a command ends (0 done, 1 failed, 2 bad input)."""

import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import typer

from cli.ask import ask
from cli.data.check_data import check as check_data
from cli.data.generate_data import generate
from cli.data.list_data import list_files
from cli.data.pull_data import pull
from cli.deploy import deploy
from cli.doctor import doctor
from cli.endings import Ending, ending_of, flush
from cli.evaluate import evaluate
from cli.experts.check_experts import check as check_experts
from cli.experts.list_experts import list_experts
from cli.experts.train_experts import train
from cli.export import export
from cli.history import history
from cli.machine.loopback import connect_directly_to_loopback
from cli.report import report
from cli.resume import resume
from cli.run import run
from cli.serve import serve
from cli.status import status
from cli.stop import stop
from cli.terminal.console import err
from swarm.errors import InputError
from swarm.names import printable

Commands = dict[str, Callable[..., Any]]

COMMANDS: Commands = {
    "run": run,
    "resume": resume,
    "stop": stop,
    "status": status,
    "history": history,
    "report": report,
    "export": export,
    "evaluate": evaluate,
    "ask": ask,
    "serve": serve,
    "deploy": deploy,
    "doctor": doctor,
}
EXPERTS: Commands = {"list": list_experts, "check": check_experts, "train": train}
DATA: Commands = {"list": list_files, "pull": pull, "check": check_data, "generate": generate}

app = typer.Typer(
    help="Search over the weights of language models by swarms.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for name, command in COMMANDS.items():
    app.command(name)(command)
for group, commands, about in (
    ("experts", EXPERTS, "Look at, check and train experts."),
    ("data", DATA, "Find, check and generate data files."),
):
    part = typer.Typer(help=about, no_args_is_help=True)
    for name, command in commands.items():
        part.command(name)(command)
    app.add_typer(part, name=group)


def main() -> None:
    """Run the command line, and end with a line and an exit code, whatever is raised."""
    try:
        _require_text(sys.argv)
        connect_directly_to_loopback()
        try:
            app()
        finally:
            if unwritten := flush():
                _end(unwritten)
    except Exception as error:
        _end(ending_of(error))


def _require_text(arguments: Sequence[str]) -> None:
    """Raise `InputError` for an argument that is not in the terminal's encoding: no file of ours could hold it."""
    for argument in arguments:
        if argument.encode(errors="replace").decode() != argument:
            raise InputError(f"the argument {argument!a} is not valid text: write it in the terminal's encoding")


def _end(ending: Ending) -> None:
    with suppress(OSError):  # nobody reads it; the exit code still says how it ended
        if ending.line:
            # Soft-wrapped: a message is one line, however narrow the terminal.
            err.print(printable(ending.line), soft_wrap=True)
    sys.exit(ending.code)
