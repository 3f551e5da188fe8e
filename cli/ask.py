"""`swarm ask`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.terminal.console import out, print_json, table
from cli.terminal.options import AsJson, RunArgument
from swarm.errors import InputError

if TYPE_CHECKING:
    from infra.serving.answering import Best, BestAnswer


def ask(
    name: RunArgument,
    question: Annotated[str, typer.Argument(help="What to ask.")],
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show each node's answer.")] = False,
    max_tokens: Annotated[
        int | None, typer.Option(min=1, help="Most tokens of the answer; by default as many as the objective allows.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Ask the best of a finished run (a model, or a system of models) one question."""
    from cli.runs.best import read_best
    from cli.terminal.quiet import quiet_libraries
    from infra.serving.answering import open_answerer

    if not question.strip():
        raise InputError("the question is empty: write it in quotes after the run's name")
    best = read_best(name)
    with quiet_libraries(), open_answerer(best) as answerer:
        [answer] = answerer.answer([answerer.question(question, max_new_tokens=max_tokens)])
    if as_json:
        print_json(_result(best, question, answer))
        return
    if verbose:
        nodes = [(node.node, node.model, node.role or None, node.answer) for node in answer.nodes]
        out.print(table(("node", "model", "role", "answer"), nodes))
    out.print(answer.answer, soft_wrap=True)


def _result(best: "Best", question: str, answer: "BestAnswer") -> dict[str, Any]:
    return {
        "run": best.run,
        "question": question,
        "answer": answer.answer,
        "cut": answer.is_cut,
        "generated_tokens": answer.tokens,
        "nodes": [
            {"node": node.node, "model": node.model, "role": node.role, "answer": node.answer} for node in answer.nodes
        ],
    }
