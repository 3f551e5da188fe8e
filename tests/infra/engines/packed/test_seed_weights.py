"""An engine of seeds answers as transformers does with the same weights, at any journal, in any order."""

from collections.abc import Iterator

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from data.requests import Completion, Generate
from experts.base_models import BaseModel
from experts.evolved import replay
from experts.perturbations import Perturbations
from experts.seed_basis import DOWN, UP, SeedBasis
from infra.engines.base import Engine
from infra.engines.config import EngineConfig
from infra.engines.kinds import open_engine
from swarm.recipes import BASE, Recipe, Space
from swarm.seeds import BASE_START, Journal, Mode, Perturbation, SeedRecipe, Update

CPU = torch.device("cpu")
CONFIG = EngineConfig(device="cpu", workers=1, token_budget=64)
KINDS = {
    "full": Perturbation(Mode.FULL, 0, ()),
    "low rank": Perturbation(Mode.LOW_RANK, 2, ("down_proj", "q_proj")),
    "adapter": Perturbation(Mode.ADAPTER, 2, ("q_proj", "v_proj")),
}
JOURNAL = Journal().extend(Update((1, 2), (0.1, -0.05)), Update((3,), (0.07,), 0.9))
REQUESTS = [Generate(text, 8) for text in ("two plus two is", "a", "colour:")]


@pytest.fixture(scope="module", params=KINDS)
def basis(request: pytest.FixtureRequest, base: BaseModel) -> SeedBasis:
    return SeedBasis(base, KINDS[request.param])


@pytest.fixture(scope="module")
def engine(basis: SeedBasis) -> Iterator[Engine]:
    opened = open_engine(CONFIG, basis.base, basis)
    yield opened
    opened.close()


def member(basis: SeedBasis, journal: Journal, seed: int | None = None, scale: float = 0.0) -> SeedRecipe:
    return SeedRecipe.of(BASE_START, basis.perturbation, journal, seed, scale)


def directly(basis: SeedBasis, recipe: SeedRecipe) -> list[Completion]:
    """Answer with transformers alone, from weights that are merged here."""
    model = AutoModelForCausalLM.from_pretrained(basis.base.folder)
    tokenizer = AutoTokenizer.from_pretrained(basis.base.folder)
    state = model.state_dict()
    for name, tensor in merged(basis, recipe).items():
        state[name].copy_(tensor)
    answers = []
    for request in REQUESTS:
        ids = tokenizer(request.prompt, return_tensors="pt")["input_ids"]
        output = model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=8, do_sample=False)
        tokens = output[0, ids.shape[1] :].tolist()
        answers.append(Completion(tokenizer.decode(tokens, skip_special_tokens=True), len(tokens)))
    return answers


def merged(basis: SeedBasis, recipe: SeedRecipe) -> dict[str, torch.Tensor]:
    theta = {name: weight for name, _, weight in replay(basis, BASE_START, recipe.journal)}
    perturbations = Perturbations(basis.perturbation, basis.tensor_names, CPU)
    low_rank = basis.perturbation.mode is Mode.LOW_RANK
    for name, tensor in theta.items():
        if recipe.seed is not None and low_rank:
            [(_, (left, right))] = perturbations.factors({name: tensor.shape}, [recipe.seed])
            theta[name] = tensor + recipe.scale * left[0] @ right[0].T / basis.perturbation.rank**0.5
        elif recipe.seed is not None:
            theta[name] = perturbations.perturb(name, tensor, recipe.seed, recipe.scale)
    if basis.perturbation.mode is not Mode.ADAPTER:
        return theta
    start = AutoModelForCausalLM.from_pretrained(basis.base.folder).state_dict()
    return {f"{m}.weight": start[f"{m}.weight"] + theta[m + UP] @ theta[m + DOWN] for m in basis.modules}


def test_members_and_mean_are_answered_as_by_their_merged_weights(engine: Engine, basis: SeedBasis) -> None:
    population = [
        member(basis, Journal()),
        member(basis, Journal(), 7, 0.3),
        member(basis, Journal(), 7, -0.3),
        member(basis, JOURNAL, 8, 0.3),
        member(basis, JOURNAL),
    ]
    answers = engine.run(population, [REQUESTS] * 5)
    assert answers == [directly(basis, recipe) for recipe in population]
    assert len({completion.text for row in answers for completion in row}) > 8, "all answer alike: nothing is shown"


def test_what_an_engine_was_asked_before_changes_nothing(engine: Engine, basis: SeedBasis) -> None:
    population = [member(basis, JOURNAL, 5, 0.2), member(basis, JOURNAL)]
    engine.run([member(basis, JOURNAL.extend(Update((9,), (0.3,))), 1, 0.5)], [REQUESTS])
    used = engine.run(population, [REQUESTS] * 2)
    fresh = open_engine(CONFIG, basis.base, basis)
    assert fresh.run(population, [REQUESTS] * 2) == used
    fresh.close()


def test_recipes_of_other_kinds_are_refused(engine: Engine) -> None:
    with pytest.raises(ValueError, match="seeds"):
        engine.run([Recipe((BASE,), (1.0,), Space.FACTORS)], [REQUESTS])
