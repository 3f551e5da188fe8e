"""Seeds dealt out to a pool: each actor moves its own weights on, and answers as one engine alone does."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from data.requests import Generate
from experts.base_models import resolve_base_model
from experts.seed_basis import SeedBasis
from infra.engines.config import EngineConfig, RayConfig
from infra.engines.kinds import open_engine
from swarm.seeds import BASE_START, Journal, Mode, Perturbation, SeedRecipe, Update
from tests.tiny import make_base

REQUESTS = [Generate(f"{n} and {n}", 8) for n in range(4)]


@pytest.mark.parametrize("mode", [Mode.LOW_RANK, Mode.FULL])
def test_actors_that_saw_different_groups_answer_alike(ray_address: str, tmp_path: Path, mode: Mode) -> None:
    base = resolve_base_model(str(make_base(tmp_path / "base")), tmp_path)
    low = mode is Mode.LOW_RANK
    kind = Perturbation(mode, 2 if low else 0, ("down_proj", "q_proj") if low else ())
    alone = EngineConfig(device="cpu", workers=1)
    pooled = alone.model_copy(update={"kind": "ray", "ray": RayConfig(address=ray_address, actors=2)})
    journal = Journal()
    groups = []
    for step in range(3):
        members = [SeedRecipe.of(BASE_START, kind, journal, 10 * step + k, 0.2) for k in range(4)]
        groups += [members[:2], members[2:]]
        journal = journal.extend(Update((100 + step,), (0.1,)))
    groups.append([SeedRecipe.of(BASE_START, kind, journal)])
    engine = open_engine(alone, base, SeedBasis(base, kind))
    wanted = [engine.run(group, [REQUESTS] * len(group)) for group in groups]
    engine.close()
    pool = open_engine(pooled, base, SeedBasis(base, kind))
    assert (pool.identity, pool.slots) == (engine.identity, 2)
    with ThreadPoolExecutor(2) as threads:
        found = list(threads.map(lambda group: pool.run(group, [REQUESTS] * len(group)), groups))
    pool.close()
    assert found == wanted
