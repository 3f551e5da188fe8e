"""A tiny base model with three experts, its engine, and an objective that a random model gets right now and then."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from data.kinds.multiple_choice import MultipleChoice
from data.objective import Objective, ObjectiveConfig, load_objective
from experts.base_models import BaseModel, chat_template
from experts.basis import Basis, FullBasis, load_basis
from infra.engines.base import Engine
from infra.engines.config import EngineConfig
from infra.engines.kinds import open_engine
from swarm.recipes import Recipe, Space
from tests.tiny import make_expert

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def basis(base: BaseModel, tmp_path_factory: pytest.TempPathFactory) -> Basis | FullBasis:
    folder = tmp_path_factory.mktemp("systems")
    made = [make_expert(folder / name, base.folder, seed) for seed, name in enumerate(("one", "two", "three"))]
    return load_basis(made, base)


@pytest.fixture(scope="session")
def models(basis: Basis | FullBasis) -> tuple[Recipe, ...]:
    """The three experts, and a mixture."""
    rows = [(1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (0.5, 0.75, -0.25)]
    return tuple(Recipe(basis.ids, row, Space.FACTORS) for row in rows)


@pytest.fixture(scope="session")
def engine(base: BaseModel, basis: Basis | FullBasis) -> Iterator[Engine]:
    opened = open_engine(EngineConfig(device="cpu", workers=1), base, basis)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def data_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    def example(letter: str, question: str) -> dict[str, object]:
        choices = {"A": letter, "B": letter.lower() * 2}
        return {"question": question, "choices": choices, "answer": "A"}

    path = tmp_path_factory.mktemp("systems") / "letters.json"
    dev, test = ([example(letter, f"{ask} {letter}?") for letter in "ABCDEF"] for ask in ("Which is", "Which one is"))
    path.write_text(json.dumps({"dataset": "letters", "dev": dev, "test": test}))
    return path


@pytest.fixture(scope="session")
def objective(data_file: Path, base: BaseModel) -> Objective:
    """The same examples twice: generated answers to raw prompts, and log-likelihoods of choices in a chat."""
    raw = MultipleChoice(kind="multiple_choice", data=data_file, name="raw", max_new_tokens=6)
    chat = MultipleChoice(kind="multiple_choice", data=data_file, name="chat", parse="loglik", prompt="chat")
    return load_objective(ObjectiveConfig(tasks=[raw, chat]), chat_template(base))
