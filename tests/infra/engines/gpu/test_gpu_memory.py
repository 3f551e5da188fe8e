"""What happens when a GPU runs out of memory: its error is raised here by a hook, as there may be no GPU."""

import logging
from pathlib import Path

import pytest
import torch

from data.requests import Generate
from experts.base_models import BaseModel
from experts.basis import load_basis
from infra.engines.config import EngineConfig
from infra.engines.packed.engine import TransformersEngine
from swarm.errors import EvaluationError
from swarm.recipes import Recipe, Space
from tests.tiny import make_base, make_expert

REQUESTS = [Generate("word " * count, 4) for count in range(1, 9)]


@pytest.fixture
def world(tmp_path: Path) -> tuple[TransformersEngine, list[Recipe]]:
    base = BaseModel("tiny", make_base(tmp_path / "base"), "1" * 64)
    basis = load_basis([make_expert(tmp_path / str(seed), base.folder, seed) for seed in (1, 2)], base)
    engine = TransformersEngine(EngineConfig(device="cpu", token_budget=256, workers=2), base, basis)
    return engine, [Recipe(basis.ids, row, Space.FACTORS) for row in ((1.0, 0.0), (0.5, 0.5))]


def give_memory_for(engine: TransformersEngine, tokens: int) -> None:
    def check(_: torch.nn.Module, inputs: tuple[torch.Tensor]) -> None:
        if inputs[0].numel() > tokens:
            raise torch.OutOfMemoryError("CUDA out of memory")

    engine._resident.model.get_input_embeddings().register_forward_pre_hook(check)


def test_half_as_much_is_computed_at_a_time_and_the_answers_stay(
    world: tuple[TransformersEngine, list[Recipe]], caplog: pytest.LogCaptureFixture
) -> None:
    engine, population = world
    wanted = engine.run(population, [REQUESTS] * len(population))
    give_memory_for(engine, 100)
    with caplog.at_level(logging.WARNING):
        assert engine.run(population, [REQUESTS] * len(population)) == wanted
        assert engine.run(population, [REQUESTS] * len(population)) == wanted
    engine.close()
    assert [record.message for record in caplog.records] == [
        f"out of GPU memory: going on with {tokens} tokens a pass (engine.token_budget) and half the cache "
        "(engine.cache_gib)"
        for tokens in (128, 64)
    ]


def test_a_gpu_too_small_for_anything_fails_the_evaluation(world: tuple[TransformersEngine, list[Recipe]]) -> None:
    engine, population = world
    give_memory_for(engine, 3)
    with pytest.raises(EvaluationError, match="the GPU has no memory left for a batch: give it a smaller base model"):
        engine.run(population, [REQUESTS] * len(population))
    engine.close()
