"""The `swarm` command: what is offered, and how a command ends (0 done, 1 failed, 2 bad input)."""

import sys

import typer

from cli import ask, data, deploy, doctor, evaluate, experts, export, inspect, run
from cli.console import err
from infra.downloads.download import DownloadError
from swarm.errors import EvaluationError, InputError

app = typer.Typer(
    help="Search over the weights of language models by swarms.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("run")(run.run)
app.command("resume")(run.resume)
app.command("stop")(run.stop)
app.command("status")(inspect.status)
app.command("history")(inspect.history)
app.command("report")(inspect.report)
app.command("export")(export.export)
app.command("evaluate")(evaluate.evaluate)
app.command("ask")(ask.ask)
app.command("serve")(ask.serve)
app.command("deploy")(deploy.deploy)
app.command("doctor")(doctor.doctor)
app.add_typer(experts.app, name="experts")
app.add_typer(data.app, name="data")


def main() -> None:
    """Run the command line; the entry point of the `swarm` script."""
    try:
        app()
    except InputError as error:
        _end(f"error: {error}", code=2)
    except (DownloadError, EvaluationError) as error:
        _end(f"failed: {error}", code=1)
    except run.Unfinished as error:
        _end(str(error), code=1)


def _end(message: str, code: int) -> None:
    # Soft-wrapped: a message is one line, however narrow the terminal.
    err.print(message, soft_wrap=True, markup=False)
    sys.exit(code)
