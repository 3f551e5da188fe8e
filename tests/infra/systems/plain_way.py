"""A system answered as the public code does: a node after the other, each question alone, nothing remembered."""

from data.requests import Completion, Generate, Request, Response
from data.task import Case, Task
from infra.engines.base import Engine
from swarm.systems import System
from tests.infra.systems.system_samples import PROMPTS


def answer(engine: Engine, system: System, task: Task, case: Case) -> dict[int, Response]:
    """Return each node's answer."""
    answers: dict[int, Response] = {}
    for node in system.dag.order:
        request = _request(system, node, task, case, answers)
        [[answers[node]]] = engine.run([system.recipes[node]], [[request]])
    return answers


def _request(system: System, node: int, task: Task, case: Case, answers: dict[int, Response]) -> Request:
    before = [answers[other] for other in system.dag.predecessors[node]]
    assert all(isinstance(item, Completion) for item in before)
    lines = "".join(f"{i}) {item.text.strip()}\n".replace("\n", " ")[:-1] + "\n" for i, item in enumerate(before, 1))
    lead = f"{system.roles[node]}\n" if system.roles[node] else ""
    prompt = task.prompter.prompt(case.example, None, lambda text: f"{lead}{lines}Q: {text}")
    if node == system.dag.end:
        return task.config.request(case.example, prompt)
    return Generate(prompt, PROMPTS.max_new_tokens)
