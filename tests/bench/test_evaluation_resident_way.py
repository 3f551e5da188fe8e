"""The resident way, which the engine is compared with, answers every particle and row as if alone."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from bench.evaluation.parts.alone import generated_alone
from bench.evaluation.parts.resident_way import ResidentWay
from data.requests import Generate
from experts.base_models import BaseModel
from experts.basis import load_basis
from experts.export import export_adapter
from swarm.recipes import Recipe, Space
from tests.tiny import make_expert

TEXTS = ("middling", "a", "the longest of these prompts", "two plus two")


@pytest.fixture(scope="module")
def world(base: BaseModel, tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    folder = tmp_path_factory.mktemp("experts")
    basis = load_basis([make_expert(folder / str(seed), base.folder, seed) for seed in (1, 2)], base)
    recipes = [Recipe(basis.ids, row, Space.FACTORS) for row in ((1.0, 0.0), (-0.5, 1.5))]
    return SimpleNamespace(base=base, basis=basis, population=recipes, requests=[Generate(text, 9) for text in TEXTS])


@pytest.mark.parametrize("batch", [1, 3])
def test_sorted_padded_batches_answer_each_row_as_if_alone(world: SimpleNamespace, tmp_path: Path, batch: int) -> None:
    answers = ResidentWay(world).evaluate(world.population, world.requests, batch)  # type: ignore[arg-type]
    tokenizer = AutoTokenizer.from_pretrained(world.base.folder)
    for recipe, row in zip(world.population, answers, strict=True):
        export_adapter(world.basis, recipe, tmp_path / recipe.key, world.base)
        plain = AutoModelForCausalLM.from_pretrained(world.base.folder)
        model = PeftModel.from_pretrained(plain, tmp_path / recipe.key).eval()
        assert row == [generated_alone(model, tokenizer, request) for request in world.requests]
    assert answers[0] != answers[1], "the adapters changed nothing: the test shows nothing"
