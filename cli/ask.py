"""`swarm ask` and `swarm serve`: using the best of a run."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.console import AsJson, err, out, print_json, table
from swarm.errors import InputError

if TYPE_CHECKING:
    from infra.serving.answering import Answered, Best

RunName = Annotated[str, typer.Argument(metavar="RUN", help="The run's name (`swarm status` lists them).")]


def ask(
    name: RunName,
    question: Annotated[str, typer.Argument(help="What to ask.")],
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show each node's answer.")] = False,
    max_tokens: Annotated[
        int | None, typer.Option(min=1, help="Most tokens of the answer; by default as many as the objective allows.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Ask the best of a finished run (a model, or a system of models) one question."""
    from cli.quiet import quiet_libraries
    from infra.serving.answering import opened

    _require_text(question)
    best = _best(name)
    with quiet_libraries(), opened(best) as answerer:
        [answered] = answerer.answer([answerer.question(question, max_new_tokens=max_tokens)])
    if as_json:
        print_json(_result(best, question, answered))
        return
    if verbose:
        nodes = [(node.node, node.model, node.role or None, node.answer) for node in answered.nodes]
        out.print(table(("node", "model", "role", "answer"), nodes))
    out.print(answered.answer, soft_wrap=True, markup=False)


def serve(
    name: RunName,
    host: Annotated[
        str, typer.Option(help="Who can ask: this machine only, unless SWARM_SERVE_KEY holds a key.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where; 0 takes a free port.")] = 8000,
) -> None:
    """Offer the best of a finished run as an OpenAI-compatible endpoint, until it is interrupted."""
    from cli.drive import terminated_as_interrupted
    from cli.quiet import quiet_libraries
    from infra.serving.answering import opened
    from infra.serving.server import require_key
    from infra.serving.server import serve as serve_answers
    from infra.settings import Settings

    key = Settings().serve_key
    require_key(host, key)
    best = _best(name)
    with terminated_as_interrupted(), quiet_libraries(), opened(best) as answerer:
        answerer.answer([answerer.question("Hello")])  # loads the engine: the first client need not wait
        try:
            serve_answers(answerer, host, port, key, lambda url: _ready(url, name))
        except KeyboardInterrupt:
            err.print("ended")


def _best(name: str) -> "Best":
    from cli.run_records import open_records
    from infra.serving.answering import load_best
    from infra.settings import Settings

    settings = Settings()
    with open_records(settings) as records:
        records.run(name)
    return load_best(name, settings)


def _require_text(question: str) -> None:
    if not question.strip():
        raise InputError("the question is empty: write it in quotes after the run's name")


def _ready(url: str, name: str) -> None:
    out.print(f"run {name} answers at {url}", soft_wrap=True, markup=False)
    out.file.flush()


def _result(best: "Best", question: str, answered: "Answered") -> dict[str, Any]:
    return {
        "run": best.run,
        "question": question,
        "answer": answered.answer,
        "cut": answered.cut,
        "generated_tokens": answered.tokens,
        "nodes": [
            {"node": node.node, "model": node.model, "role": node.role, "answer": node.answer}
            for node in answered.nodes
        ],
    }
