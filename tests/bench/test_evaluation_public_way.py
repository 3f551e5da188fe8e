"""The stand-in for the public code reads its padding, as the public code does."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from bench.evaluation.parts.public_way import BATCH, evaluate
from data.requests import Generate
from experts.base_models import BaseModel
from experts.basis import load_basis
from experts.export import export_adapter
from swarm.recipes import Recipe, Space
from tests.tiny import make_expert

LONG, SHORT = "a much longer prompt that pads the other", "short"


@pytest.fixture(scope="module")
def world(base: BaseModel, tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    folder = tmp_path_factory.mktemp("experts")
    basis = load_basis([make_expert(folder / str(seed), base.folder, seed) for seed in (1, 2)], base)
    recipes = [Recipe(basis.ids, row, Space.FACTORS) for row in ((1.0, 0.0), (0.25, 0.75))]
    requests = [
        Generate(LONG, 8),
        Generate(SHORT, 8),
        *(Generate(LONG, 8) for _ in range(BATCH - 2)),
        Generate(SHORT, 8),
    ]
    return SimpleNamespace(base=base, basis=basis, population=recipes, requests=requests)


def test_rows_continue_the_padding_of_their_batch_of_ten(world: SimpleNamespace, tmp_path: Path) -> None:
    answers = evaluate(world)  # type: ignore[arg-type]
    for recipe, row in zip(world.population, answers, strict=True):
        assert row == [continued(world, recipe, tmp_path, *request) for request in as_read(world.requests)]
    assert answers[0][1] != answers[0][-1], "padding changed nothing: the test shows nothing"


def as_read(requests: list[Generate]) -> list[tuple[str, int]]:
    """Return each prompt with the length to which its batch pads it."""
    return [(r.prompt, len(LONG) if index < BATCH else len(r.prompt)) for index, r in enumerate(requests)]


def continued(world: SimpleNamespace, recipe: Recipe, folder: Path, prompt: str, length: int) -> str:
    """Continue the prompt and its padding, token by token, without a cache or a batch."""
    export_adapter(world.basis, recipe, folder / recipe.key, world.base)
    model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(world.base.folder), folder / recipe.key)
    tokenizer = AutoTokenizer.from_pretrained(world.base.folder)
    read = tokenizer(prompt)["input_ids"]
    ids = read + [tokenizer.eos_token_id] * (length - len(read))
    new: list[int] = []
    while len(new) < 8 and tokenizer.eos_token_id not in new:
        with torch.no_grad():
            new.append(int(model(torch.tensor([ids + new])).logits[0, -1].argmax()))
    return str(tokenizer.decode(new, skip_special_tokens=True)).strip()
