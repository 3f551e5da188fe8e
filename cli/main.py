"""The `swarm` command: what is offered, and how a command ends (0 done, 1 failed, 2 bad input)."""

import sys
from collections.abc import Callable
from typing import Any

import typer

from cli.ask import ask
from cli.data.check_data import check as check_data
from cli.data.generate_data import generate
from cli.data.list_data import list_files
from cli.data.pull_data import pull
from cli.deploy import deploy
from cli.doctor import doctor
from cli.evaluate import evaluate
from cli.experts.check_experts import check as check_experts
from cli.experts.list_experts import list_experts
from cli.experts.train_experts import train
from cli.export import export
from cli.history import history
from cli.report import report
from cli.resume import resume
from cli.run import run
from cli.runs.drive import RunUnfinished
from cli.serve import serve
from cli.status import status
from cli.stop import stop
from cli.terminal.console import err
from infra.downloads.download import DownloadError
from swarm.errors import EvaluationError, InputError

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
    """Run the command line; the entry point of the `swarm` script."""
    try:
        app()
    except InputError as error:
        _end(f"error: {error}", code=2)
    except (DownloadError, EvaluationError) as error:
        _end(f"failed: {error}", code=1)
    except RunUnfinished as error:
        _end(str(error), code=1)


def _end(message: str, code: int) -> None:
    # Soft-wrapped: a message is one line, however narrow the terminal.
    err.print(message, soft_wrap=True, markup=False)
    sys.exit(code)
