"""Print what experts make of previous responses: accuracy on dev examples, alone and after right, wrong or mixed ones.

    python bench/demo_team.py --examples 20 demo/team/dates demo/experts/dates

Every prompt has `--count` responses, as `swarm data generate --responses` makes them, in the form of
demo/heterogeneous-swarms.yaml. The tables are those in docs/demo.md (Markdown).
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from demo_experts import task

from data.objective import Objective, ObjectiveConfig, load_objective
from data.requests import Generate, Request
from data.skills.responses import responses
from experts.base_models import resolve_base_model
from experts.basis import load_basis
from infra.engines.config import EngineConfig
from infra.engines.opening import open_engine
from infra.settings import Settings
from swarm.recipes import Recipe, Space

SKILLS = ("sorting", "picking", "dates")
RIGHT = {"right": 1.0, "wrong": 0.0, "mixed": 0.5}
"""The probability that a response is right."""


def main() -> None:
    """Ask every expert, and print a row for each of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experts", type=Path, nargs="+", metavar="FOLDER", help="experts, of one rank")
    parser.add_argument("--examples", type=int, default=20, help="dev examples a skill")
    parser.add_argument("--count", type=int, default=2, help="responses a prompt")
    arguments = parser.parse_args()
    objective = dev_objective(arguments.examples)
    forms = {"alone": objective.requests("dev")}
    forms |= {name: with_previous(objective, arguments.count, right) for name, right in RIGHT.items()}
    print(f"Accuracy on {arguments.examples} dev examples a skill, {' / '.join(SKILLS)}:\n")
    print(f"| expert | {' | '.join(forms)} |\n|{'---|' * (len(forms) + 1)}")
    for folder, utilities in zip(arguments.experts, evaluate(arguments.experts, objective, forms), strict=True):
        cells = [" / ".join(f"{accuracy:.2f}" for accuracy in accuracies) for accuracies in utilities]
        print(f"| {folder} | {' | '.join(cells)} |")


def dev_objective(examples: int) -> Objective:
    """Return the demo's objective with so many dev examples a skill, and one test example that is not looked at."""
    tasks = [{**task(skill, 1), "dev": examples} for skill in SKILLS]
    return load_objective(ObjectiveConfig.model_validate({"tasks": tasks}))


def with_previous(objective: Objective, count: int, right: float) -> list[Request]:
    """Return the dev requests after `count` responses, each right with probability `right`."""
    rng = np.random.default_rng(0)
    asked: list[Request] = []
    for skill, part in zip(SKILLS, objective.tasks, strict=True):
        for case in part.cases("dev"):
            drawn = responses(rng, skill, case.example.question, case.example.answer, count, right)
            assert isinstance(case.request, Generate)
            lines = "".join(f"Answer: {response}\n" for response in drawn)
            asked.append(replace(case.request, prompt=lines + case.request.prompt))
    return asked


def evaluate(
    folders: list[Path], objective: Objective, forms: dict[str, list[Request]]
) -> list[list[tuple[float, ...]]]:
    """Return the accuracies in the skills of each expert, in each of the forms."""
    base = resolve_base_model("smollm2-135m-instruct", Settings().cache)
    basis = load_basis(folders, base)
    recipes = [Recipe(basis.ids, tuple(float(i == k) for i in basis.ids), Space.PRODUCT) for k in basis.ids]
    engine = open_engine(EngineConfig(), base, basis)
    asked = [request for requests in forms.values() for request in requests]
    answers = engine.run(recipes, [asked] * len(recipes))
    engine.close()
    size = len(asked) // len(forms)
    parts = [[answer[k : k + size] for k in range(0, len(asked), size)] for answer in answers]
    return [[objective.score("dev", part).task_utilities for part in expert] for expert in parts]


if __name__ == "__main__":
    main()
