"""`swarm serve`."""

from typing import Annotated

import typer

from cli.terminal.console import err, out
from cli.terminal.options import RunArgument


def serve(
    name: RunArgument,
    host: Annotated[
        str, typer.Option(help="Who can ask: this machine only, unless SWARM_SERVE_KEY holds a key.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where; 0 takes a free port.")] = 8000,
) -> None:
    """Offer the best of a finished run as an OpenAI-compatible endpoint, until it is interrupted."""
    from cli.runs.best import read_best
    from cli.runs.drive import interrupt_on_sigterm
    from cli.terminal.quiet import quiet_libraries
    from infra.serving.answering import open_answerer
    from infra.serving.server import require_key
    from infra.serving.server import serve as serve_answers
    from infra.settings import Settings

    key = Settings().serve_key
    require_key(host, key)
    best = read_best(name)
    with interrupt_on_sigterm(), quiet_libraries(), open_answerer(best) as answerer:
        answerer.answer([answerer.question("Hello")])  # loads the engine: the first client need not wait
        try:
            serve_answers(answerer, host, port, key, lambda url: _print_url(url, name))
        except KeyboardInterrupt:
            err.print("ended")


def _print_url(url: str, name: str) -> None:
    out.print(f"run {name} answers at {url}", soft_wrap=True)
    out.file.flush()
