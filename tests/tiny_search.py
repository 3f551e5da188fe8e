"""A search of six particles and three experts of a tiny random Llama: real in everything but its size."""

import json
import random
from pathlib import Path
from typing import Any

import yaml

from tests.tiny import make_base, make_expert

RUN = "tiny"
EXPERTS = ("one", "two", "three")
CONFIG: dict[str, Any] = {
    "name": RUN,
    "seed": 1,
    "base_model": "base",
    "experts": list(EXPERTS),
    "include_base": True,
    "space": "product",
    "objective": {
        "tasks": [{"kind": "exact_match", "data": "data.json", "match": "reference", "max_new_tokens": 16}],
    },
    "search": {"particles": 6, "max_iterations": 5, "patience": 10, "step_length": 1.0, "restart_patience": 2},
    "ensemble": 3,
    "engine": {"device": "cpu", "group_size": 3, "workers": 1, "token_budget": 128},
}
HETEROGENEOUS: dict[str, Any] = {
    **{name: CONFIG[name] for name in CONFIG if name != "ensemble"},
    "algorithm": "heterogeneous-swarms",
    "search": {"graphs": 3, "assignments": 3, "max_iterations": 3, "step_length": 1.0, "restart_patience": 2},
    "system": {"max_new_tokens": 8},
}

EVOLUTION: dict[str, Any] = {
    **{name: CONFIG[name] for name in ("name", "seed", "base_model")},
    "algorithm": "evolution-strategies",
    "objective": {"tasks": [{"kind": "conciseness", "data": "data.json", "max_new_tokens": 16}]},
    "perturbation": {"mode": "low_rank", "rank": 2, "targets": ["q_proj", "down_proj"]},
    "search": {
        "population": 6,
        "sigma": 0.2,
        "learning_rate": 0.2,
        "weight_decay": 0.1,
        "max_iterations": 5,
        "batch": 4,
        "held_out": 4,
        "held_out_every": 2,
    },
    "engine": CONFIG["engine"],
}


def make_search(folder: Path, settings: dict[str, Any] = CONFIG) -> Path:
    """Write base model, experts, data and the configuration `settings` into `folder`; return the latter's path."""
    base = make_base(folder / "base")
    for seed, name in enumerate(EXPERTS):
        make_expert(folder / name, base, seed, scale=0.4)
    (folder / "data.json").write_text(json.dumps(_data(random.Random(0))))
    config = folder / "run.yaml"
    config.write_text(yaml.safe_dump(settings))
    return config


def _data(draws: random.Random) -> dict[str, Any]:
    def examples(count: int) -> list[dict[str, str]]:
        numbers = [(draws.randrange(1000), draws.randrange(1000)) for _ in range(count)]
        return [{"question": f"{a} plus {b}?", "answer": draws.choice("abcdefghij")} for a, b in numbers]

    return {"dataset": "letters", "dev": examples(12), "test": examples(12)}
