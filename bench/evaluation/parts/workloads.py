"""What is evaluated: fixed data, prompts and recipes, so that every way of evaluating answers the same rows.

The requests are those that a search's objective sends (`data.objective`), the recipes lie where a search's particles
do. Two families: the papers' public sets where the data folder has them, else sets of the demo's data.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from data.kinds.base import TaskConfig
from data.objective import Objective, ObjectiveConfig, load_objective
from data.requests import Generate
from experts.base_models import PACKAGED, BaseModel, chat_template, resolve_base_model
from experts.basis import Basis, load_basis
from infra.settings import Settings
from swarm.recipes import Recipe, Space

DEMO = Path(__file__).parents[3] / "demo"
EXPERTS = ("generalist", "sorting", "picking", "reversing")
"""The demo's experts that the recipes combine: LoRA of rank 6 on q, k, v and o."""
SEED = 0


@dataclass(frozen=True)
class Workload:
    """A population's evaluation.

    Attributes:
        name: how the table calls it.
        task: the objective's only task, as a config file has it; `data` is a file in the data folder.
        particles: recipes in the population.
        rows: examples asked, the first of the dev split.
        batch_sizes: what the best batch size of the resident way is looked for among.
        worked: so many dev examples, the last ones, stand with their answers before every prompt.
        checked: rows of each particle that are compared with unbatched generation.
        reach: the ratios to reach against the public and against the resident way; None where there is none.
        share: the share of the GEMM rate to reach, in percent.

    """

    name: str
    task: Mapping[str, object]
    particles: int
    rows: int
    batch_sizes: tuple[int, ...] = (1, 4, 10, 20)
    worked: int = 0
    checked: int = 5
    reach: tuple[float | None, float | None] = (None, None)
    share: float | None = None

    @property
    def file(self) -> str:
        """The data file's name."""
        return str(self.task["data"])

    def quick(self) -> "Workload":
        """Return the least of this that still runs every line."""
        task = {**self.task, "max_new_tokens": 4}
        worked = min(self.worked, 2)
        return replace(self, task=task, particles=2, rows=3, batch_sizes=(3,), worked=worked, checked=1)


CHOICE, NUMBER, WORD = (
    {"kind": "multiple_choice"},
    {"kind": "exact_match", "match": "number"},
    {"kind": "exact_match", "match": "word", "max_new_tokens": 10},
)
PUBLIC = (
    Workload("mmlu", CHOICE | {"data": "mmlu.json"}, 4, 40, checked=12, reach=(3.5, 1.8), share=85),
    Workload(
        "gsm8k", NUMBER | {"data": "gsm8k.json", "prompt": "chat"}, 4, 16, (4, 8, 16), checked=2, reach=(2.8, 1.8)
    ),
    Workload("nlgraph", WORD | {"data": "nlgraph.json"}, 2, 12, (1, 2, 4), checked=12, reach=(1.6, 1.5), share=85),
    Workload("in-context", CHOICE | {"data": "mmlu.json"}, 2, 16, (1, 2, 4), worked=6, checked=16, reach=(3.0, 2.5)),
)
"""Long prompts are looked at in small batches only: in larger ones the resident way pads more than it gains.
gsm8k is a chat: after the bare question SmolLM2-Instruct ends its text at once, so that nothing is generated."""
OWN = (
    Workload("units", NUMBER | {"data": "units.json", "max_new_tokens": 10}, 4, 40, checked=20),
    Workload("dates", WORD | {"data": "dates.json", "max_new_tokens": 100}, 4, 16, (4, 8, 16)),
    Workload("in-context", WORD | {"data": "picking.json"}, 2, 16, worked=40),
)
"""The demo's, for a data folder without any of the papers' sets: nothing is to be reached on them."""


def base_model() -> BaseModel:
    """Return SmolLM2-135M, converting it once."""
    return resolve_base_model(PACKAGED, Settings().cache)


@dataclass(frozen=True)
class World:
    """A workload's base model, experts and data, loaded in the process that measures.

    Attributes:
        workload: what is evaluated.
        folder: the data folder.

    """

    workload: Workload
    folder: Path
    base: BaseModel = field(default_factory=base_model)

    @cached_property
    def basis(self) -> Basis:
        """The experts."""
        basis = load_basis([DEMO / "experts" / name for name in EXPERTS], self.base)
        assert isinstance(basis, Basis)
        return basis

    @cached_property
    def population(self) -> list[Recipe]:
        """The particles: uniform draws from the simplex over the experts, in the space of factors."""
        return population(self.basis.ids, self.workload.particles)

    @cached_property
    def objective(self) -> Objective:
        """What a search would maximise."""
        path = self.folder / self.workload.file
        task = {**self.workload.task, "data": str(path), "dev": self.workload.rows, "test": 1}
        config = ObjectiveConfig.model_validate({"tasks": [task], "allow_overlap": True})
        if self.workload.worked:
            template = with_worked_examples(config.tasks[0], path, self.workload.worked)
            config = ObjectiveConfig.model_validate({"tasks": [{**task, "template": template}], "allow_overlap": True})
        return load_objective(config, chat_template(self.base))

    @property
    def requests(self) -> list[Generate]:
        """What an engine is asked, one request a row."""
        return [request for request in self.objective.requests("dev") if isinstance(request, Generate)]


def population(ids: Sequence[str], particles: int) -> list[Recipe]:
    """Return `particles` recipes over the experts `ids`: uniform draws from the simplex."""
    drawn = np.random.default_rng(SEED).dirichlet(np.ones(len(ids)), particles)
    return [Recipe(tuple(ids), tuple(row), Space.FACTORS) for row in drawn.tolist()]


def with_worked_examples(task: TaskConfig, path: Path, count: int) -> str:
    """Return the task's template after the last `count` dev examples of the file, each with its answer."""
    file = json.loads(path.read_text(encoding="utf-8"))
    template, examples = task.default_template(file["dataset"]), file["dev"][-count:]
    return "\n\n".join([*(f"{_filled(template, example)} {example['answer']}" for example in examples), template])


def workloads(folder: Path, quick: bool) -> tuple[list[Workload], list[Workload]]:
    """Return the workloads whose data file lies in `folder`, and those of the papers' sets that are missing there."""
    there = [load for load in PUBLIC if (folder / load.file).is_file()]
    missing = [load for load in PUBLIC if load not in there]
    there = there or [load for load in OWN if (folder / load.file).is_file()]
    return [load.quick() if quick else load for load in there], missing


def _filled(template: str, example: dict[str, object]) -> str:
    choices = example.get("choices") or {}
    assert isinstance(choices, dict)
    listed = "\n".join(f"{key}: {text}" for key, text in choices.items())
    return template.replace("{question}", str(example["question"])).replace("{choices}", listed)
