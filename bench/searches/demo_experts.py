"""Print what each of the demo's experts, and the base model, can do: accuracy on held-out examples of every skill.

    python -m bench.searches.demo_experts --examples 150
    python -m bench.searches.demo_experts --of relay     # those of `make demo-hetero`

Test examples are used, which no training and no choice has seen; the tables are those in docs/demo.md (Markdown).
"""

import argparse
from pathlib import Path

from data.objective import ObjectiveConfig, load_objective
from experts.base_models import resolve_base_model
from experts.basis import load_basis
from infra.engines.config import EngineConfig
from infra.engines.kinds import open_engine
from infra.settings import Settings
from swarm.recipes import BASE, Recipe, Space

DEMO = Path(__file__).parents[2] / "demo"
SKILLS = ("sorting", "picking", "reversing", "arithmetic", "dates", "units")
GROUPS = {
    "demo": {"generalist": None, **{skill: skill for skill in SKILLS}},
    "relay": {"generalist": None, "sorting": "relay_first", "direct": "relay", "reader": "relay_second"},
}
"""The experts of each demo, with the skill that is an expert's own there."""


def main() -> None:
    """Evaluate every expert on every skill and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, default=150, help="test examples a skill")
    parser.add_argument("--of", choices=GROUPS, default="demo", help="whose experts")
    options = parser.parse_args()
    examples, own = options.examples, GROUPS[options.of]
    skills = [skill for skill in own.values() if skill is not None]
    base = resolve_base_model("smollm2-135m-instruct", Settings().cache)
    folders = [DEMO / ("relay" if name in ("direct", "reader") else "experts") / name for name in own]
    basis = load_basis(folders, base)
    objective = load_objective(ObjectiveConfig.model_validate({"tasks": [task(skill, examples) for skill in skills]}))
    bases = (*basis.ids, BASE)
    recipes = [Recipe(bases, tuple(float(i == k) for i in range(len(bases))), Space.PRODUCT) for k in range(len(bases))]
    engine = open_engine(EngineConfig(), base, basis)
    answers = engine.run(recipes, [objective.requests("test")] * len(recipes))
    engine.close()
    print(f"Accuracy on {examples} test examples a skill:\n")
    print(f"| expert | {' | '.join(skills)} |\n|{'---|' * (len(skills) + 1)}")
    for name, responses in zip((*basis.names, "base model"), answers, strict=True):
        accuracies = objective.score("test", responses).task_utilities
        cells = [
            f"**{a:.2f}**" if skill == own.get(name) else f"{a:.2f}"
            for skill, a in zip(skills, accuracies, strict=True)
        ]
        print(f"| {name} | {' | '.join(cells)} |")


def task(skill: str, examples: int) -> dict[str, object]:
    """Return the task of `skill` as the demo asks it."""
    return {
        "kind": "exact_match",
        "match": "text",
        "data": str(DEMO / "data" / f"{skill}.json"),
        "template": "{question}\nAnswer:",
        "max_new_tokens": 12,
        "stop": ["\n"],
        "dev": 1,
        "test": examples,
    }


if __name__ == "__main__":
    main()
