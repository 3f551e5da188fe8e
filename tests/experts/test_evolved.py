"""θ_t: replayed from its journal, in memory or tensor by tensor, to the same bits; and written to disk."""

from pathlib import Path

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

from experts.base_models import BaseModel
from experts.evolved import EvolvedWeights, replay
from experts.evolved_export import export_evolved
from experts.seed_basis import DOWN, UP, SeedBasis, seed_basis
from experts.weights_hash import tensor_sha256, weights_sha256
from swarm.errors import InputError
from swarm.recipes import Recipe, Space
from swarm.seeds import BASE_START, Journal, Mode, Perturbation, SeedRecipe, Update
from tests.tiny import make_expert

CPU = torch.device("cpu")
KINDS = {
    "full": Perturbation(Mode.FULL, 0, ()),
    "low rank": Perturbation(Mode.LOW_RANK, 2, ("down_proj", "q_proj")),
    "adapter": Perturbation(Mode.ADAPTER, 2, ("q_proj", "v_proj")),
}
FIRST = Journal().extend(Update((1, 2), (0.1, -0.05)))
LATER = FIRST.extend(Update((3, 4, 5), (0.02, 0.03, 0.04), 0.9), Update((6,), (0.01,)))


@pytest.fixture(scope="module", params=KINDS)
def basis(request: pytest.FixtureRequest, base: BaseModel) -> SeedBasis:
    return SeedBasis(base, KINDS[request.param])


def replayed(basis: SeedBasis, journal: Journal) -> dict[str, torch.Tensor]:
    return {name: weight for name, _, weight in replay(basis, BASE_START, journal)}


def test_weights_in_memory_are_those_that_replay_gives(basis: SeedBasis) -> None:
    evolved = EvolvedWeights(basis, {}, CPU)
    for journal in (Journal(), FIRST, LATER, FIRST, Journal()):  # on, and back
        assert evolved.go_to(BASE_START, journal)
        assert not evolved.go_to(BASE_START, journal)
        wanted = replayed(basis, journal)
        assert evolved.tensors.keys() == wanted.keys()
        assert all(torch.equal(evolved.tensors[name], tensor) for name, tensor in wanted.items())
        assert evolved.sha256 == weights_sha256((name, tensor_sha256(t)) for name, t in wanted.items())


def test_an_interrupted_update_begins_again_from_the_start(basis: SeedBasis, monkeypatch: pytest.MonkeyPatch) -> None:
    evolved = EvolvedWeights(basis, {}, CPU)
    evolved.go_to(BASE_START, FIRST)
    with monkeypatch.context() as patch:
        real, calls = evolved.perturbations.update, []

        def failing(*arguments: object) -> None:
            calls.append(arguments)
            if len(calls) == 3:
                raise KeyboardInterrupt
            real(*arguments)  # type: ignore[arg-type]

        patch.setattr(evolved.perturbations, "update", failing)
        with pytest.raises(KeyboardInterrupt):
            evolved.go_to(BASE_START, LATER)
    evolved.go_to(BASE_START, LATER)
    wanted = replayed(basis, LATER)
    assert all(torch.equal(evolved.tensors[name], tensor) for name, tensor in wanted.items())


def test_what_is_written_has_the_weights_of_the_engine_and_loads_anywhere(basis: SeedBasis, tmp_path: Path) -> None:
    folder = tmp_path / "best"
    exported = export_evolved(basis, SeedRecipe.of(BASE_START, basis.perturbation, LATER), folder)
    evolved = EvolvedWeights(basis, {}, CPU)
    evolved.go_to(BASE_START, LATER)
    assert exported.sha256 == evolved.sha256
    assert exported.drift > 0
    if basis.perturbation.mode is Mode.ADAPTER:
        model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(basis.base.folder), folder)
        loaded = {name.replace(".default", ""): tensor for name, tensor in model.state_dict().items()}
        pairs = {f"base_model.model.{name}.weight": tensor for name, tensor in evolved.tensors.items()}
    else:
        loaded = AutoModelForCausalLM.from_pretrained(folder).state_dict()
        pairs = dict(evolved.tensors)
    assert pairs
    assert all(torch.equal(loaded[name], tensor) for name, tensor in pairs.items())


def test_a_search_may_start_from_an_expert(base: BaseModel, tmp_path: Path) -> None:
    expert = make_expert(tmp_path / "expert", base.folder, 3, rank=4, alpha=8, targets=("q_proj",))
    merged = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base.folder), expert).merge_and_unload()
    for kind in (KINDS["full"], KINDS["low rank"]):
        basis = seed_basis(base, kind, expert)
        started = dict(basis.start(Recipe(basis.ids, (1.0,), Space.PRODUCT)))
        for name, tensor in started.items():
            torch.testing.assert_close(tensor, merged.state_dict()[name])
    basis = seed_basis(base, KINDS["adapter"], expert)
    assert basis.tensor_names == tuple(sorted(f"{m}{f}" for m in basis.modules for f in (DOWN, UP)))
    assert [m.rsplit(".", 1)[-1] for m in basis.modules] == ["q_proj", "q_proj"]


def test_a_fresh_adapter_changes_nothing(base: BaseModel) -> None:
    tensors = dict(SeedBasis(base, KINDS["adapter"]).start(BASE_START))
    assert all(not tensor.any() for name, tensor in tensors.items() if name.endswith(UP))
    assert all(tensor.any() for name, tensor in tensors.items() if name.endswith(DOWN))


def test_full_moves_every_tensor_of_the_model_once(base: BaseModel) -> None:
    model = AutoModelForCausalLM.from_pretrained(base.folder)
    assert set(SeedBasis(base, KINDS["full"]).tensor_names) == {name for name, _ in model.named_parameters()}


def test_a_target_that_the_base_lacks_is_refused_with_what_there_is(base: BaseModel) -> None:
    with pytest.raises(InputError, match=r"targets: .*'wqkv'.*q_proj"):
        SeedBasis(base, Perturbation(Mode.LOW_RANK, 1, ("wqkv",)))


def test_only_a_mean_is_exported(basis: SeedBasis, tmp_path: Path) -> None:
    member = SeedRecipe.of(BASE_START, basis.perturbation, FIRST, 1, 0.1)
    with pytest.raises(ValueError, match="mean"):
        export_evolved(basis, member, tmp_path / "x")
