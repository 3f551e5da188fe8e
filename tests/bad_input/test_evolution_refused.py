"""A run of evolution strategies that can't be made, refused before anything is started or written."""

from pathlib import Path

import pytest
import yaml

from tests.bad_input.broken_world import BreakableWorld, Refused


@pytest.fixture
def config(world: BreakableWorld) -> Path:
    value = yaml.safe_load(world.config.read_text())
    kept = {name: value[name] for name in ("name", "base_model", "objective", "engine")}
    path = world.folder / "evolution.yaml"
    search = {"population": 4, "held_out": 2, "max_iterations": 2}
    perturbation = {"mode": "low_rank", "targets": ["q_proj"]}
    path.write_text(
        yaml.safe_dump({**kept, "algorithm": "evolution-strategies", "search": search, "perturbation": perturbation})
    )
    return path


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (
            "search.population=5",
            "field 'search.population': must be an even number with antithetic: true",
        ),
        ("search.sigma=0", "field 'search.sigma': input should be greater than 0 (it is 0)"),
        ("search.sigma=.inf", "field 'search.sigma': input should be less than or equal to 100 (it is inf)"),
        ("search.weight_decay=1", "field 'search.weight_decay': input should be less than 1 (it is 1)"),
        ("search.shaping=softmax", "'z_score' or 'centred_ranks' (it is 'softmax')"),
        ("search.reference=true", "low_rank is not what the public code does: set it to full"),
        ("search.held_out=1000", "search.held_out: 1000 of the"),
        ("perturbation.mode=half", "'full', 'adapter' or 'low_rank' (it is 'half')"),
        ("perturbation.rank=0", "field 'perturbation.rank': input should be greater than or equal to 1 (it is 0)"),
        ("perturbation.targets=[wqkv]", "has no module 'wqkv': choose from"),
        ("experts=[experts/one, experts/two]", "unknown field 'experts'"),
        ("start=experts/nobody", "there is no folder"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(refused: Refused, config: Path, override: str, message: str) -> None:
    assert message in refused("run", config, "--set", override)
