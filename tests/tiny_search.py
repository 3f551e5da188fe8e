"""A search of six particles and three experts of a tiny random Llama: real in everything but its size."""

import json
import random
from pathlib import Path
from typing import Any

import yaml
from tiny import make_base, make_expert

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


def make_search(folder: Path) -> Path:
    """Write base model, experts, data and configuration into `folder`; return the configuration's path."""
    base = make_base(folder / "base")
    for seed, name in enumerate(EXPERTS):
        make_expert(folder / name, base, seed, scale=0.4)
    (folder / "data.json").write_text(json.dumps(_data(random.Random(0))))
    config = folder / "run.yaml"
    config.write_text(yaml.safe_dump(CONFIG))
    return config


def _data(draws: random.Random) -> dict[str, Any]:
    def examples(count: int) -> list[dict[str, str]]:
        numbers = [(draws.randrange(1000), draws.randrange(1000)) for _ in range(count)]
        return [{"question": f"{a} plus {b}?", "answer": draws.choice("abcdefghij")} for a, b in numbers]

    return {"dataset": "letters", "dev": examples(12), "test": examples(12)}
