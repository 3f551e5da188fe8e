"""What a pool decides before any cluster is there, and what an actor checks on its node."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from pydantic import ValidationError

from experts.base_models import BaseModel, resolve_base_model
from experts.basis import Basis, FullBasis, load_basis
from infra.engines.config import EngineConfig, RayConfig
from infra.engines.kinds import engine_identity
from infra.engines.ray.actor import Assignment, StoredBasis, check_node
from infra.engines.ray.identity import actor_config, pool_identity
from swarm.errors import InputError
from tests.tiny import make_base, make_expert

NOWHERE = BaseModel("tiny", Path("/nowhere"), "a" * 64)


def pool(device: str = "cpu", **ray: object) -> EngineConfig:
    return EngineConfig(kind="ray", device=device, ray=RayConfig.model_validate(ray))


def test_a_pool_has_the_identity_of_the_engines_in_its_actors() -> None:
    alone = EngineConfig(device="cpu")
    assert engine_identity(pool(actors=7, cpus=2), NOWHERE) == engine_identity(alone, NOWHERE)
    assert pool_identity(pool(address="auto"), NOWHERE) == engine_identity(alone, NOWHERE)


@pytest.mark.parametrize(
    ("config", "device"),
    [(pool("auto", gpus=0.5), "cuda"), (pool("auto", gpus=0, address="auto"), "cpu"), (pool("cuda"), "cuda")],
)
def test_actors_compute_on_gpus_if_they_get_some_whatever_this_machine_has(config: EngineConfig, device: str) -> None:
    assert json.loads(pool_identity(config, NOWHERE))["device"] == device


def test_an_actor_uses_the_cores_that_it_reserved() -> None:
    assert actor_config(pool(cpus=4)).workers == 4
    assert actor_config(pool(cpus=4).model_copy(update={"threads": 2})).workers == 2
    assert actor_config(pool(cpus=0.5)).workers == 1
    assert actor_config(pool(cpus=4).model_copy(update={"workers": 3})).workers == 3


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (pool("cuda:1"), "engine.device: cuda:1: Ray chooses the GPU of each actor: set it to cuda"),
        (
            pool("auto", address="auto"),
            "engine.device: auto: what this machine has says nothing about the actors of a running cluster: set it to "
            "cuda or cpu, or set engine.ray.gpus",
        ),
        (pool("cuda", gpus=0), "engine.ray.gpus: 0 does not go with engine.device: cuda: leave it empty"),
        (pool("cpu", gpus=1), "engine.ray.gpus: 1 does not go with engine.device: cpu: leave it empty"),
    ],
)
def test_a_device_that_no_actor_can_have_is_refused(config: EngineConfig, message: str) -> None:
    with pytest.raises(InputError) as caught:
        pool_identity(config, NOWHERE)
    assert str(caught.value) == message


def test_a_pool_without_ray_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.engines.ray.identity.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"^engine\.kind: ray: Ray is not installed: pip install 'ray==2\.60\.\*', or"):
        pool_identity(pool(), NOWHERE)


@pytest.mark.parametrize("address", ["ray://host:10001", "host", "", "http://host:1", "host:port"])
def test_an_address_that_is_none_is_refused_when_the_config_is_read(address: str) -> None:
    with pytest.raises(ValidationError):
        RayConfig(address=address)


def test_every_field_is_described() -> None:
    assert all(field.title and field.description for field in RayConfig.model_fields.values())


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> BaseModel:
    folder = tmp_path_factory.mktemp("node")
    return resolve_base_model(str(make_base(folder / "base")), folder)


@pytest.fixture(scope="module")
def basis(base: BaseModel) -> Basis:
    folders = [make_expert(base.folder.parent / str(seed), base.folder, seed, rank) for seed, rank in ((1, 2), (2, 5))]
    loaded = load_basis(folders, base)
    assert isinstance(loaded, Basis)
    return loaded


def assigned(base: BaseModel) -> Assignment:
    config = actor_config(pool())
    return Assignment(config, base, engine_identity(config, base), "node")


def test_an_unpacked_basis_has_the_bits_and_the_layout_of_the_packed_one(basis: Basis) -> None:
    unpacked = StoredBasis.of(basis).unpack()
    assert (unpacked.ids, unpacked.names, unpacked.ranks) == (basis.ids, basis.names, basis.ranks)
    assert unpacked.modules.keys() == basis.modules.keys()
    for name, factors in basis.modules.items():
        for found, wanted in zip(unpacked.modules[name], factors, strict=True):
            assert torch.equal(found, wanted)
            assert found.stride() == wanted.stride()


def test_a_node_with_the_same_files_and_versions_is_accepted(base: BaseModel, basis: Basis) -> None:
    check_node(assigned(base), StoredBasis.of(basis), elsewhere=True)


def test_a_node_without_the_base_model_is_named(basis: Basis) -> None:
    with pytest.raises(InputError) as caught:
        check_node(assigned(NOWHERE), StoredBasis.of(basis), elsewhere=True)
    message = str(caught.value)
    assert message.startswith("node ")
    assert message.endswith("has no folder /nowhere: copy it there, or keep it on a file system that all nodes share")


def test_a_node_with_other_versions_is_named_with_the_difference(base: BaseModel, basis: Basis) -> None:
    wanted = assigned(base)
    identity = json.loads(wanted.identity)
    here = identity["libraries"]["transformers"]
    identity["libraries"]["transformers"] = "4.0"
    with pytest.raises(InputError, match=r"^node .* has another engine than this run: ") as caught:
        check_node(replace(wanted, identity=json.dumps(identity)), StoredBasis.of(basis), elsewhere=False)
    assert f": libraries.transformers is {here} there, 4.0 here: install the same versions" in str(caught.value)


def test_a_node_with_another_base_model_is_named(base: BaseModel, basis: Basis) -> None:
    other = assigned(replace(base, sha256="b" * 64))
    check_node(other, StoredBasis.of(basis), elsewhere=False)
    with pytest.raises(InputError, match=rf"^node .* has other files in {base.folder} than this run: copy them again"):
        check_node(other, StoredBasis.of(basis), elsewhere=True)


def test_a_node_with_another_full_model_is_named(base: BaseModel) -> None:
    folder = make_base(base.folder.parent / "full", seed=3)
    found = load_basis([folder], base)
    assert isinstance(found, FullBasis)
    check_node(assigned(base), found, elsewhere=True)
    with pytest.raises(InputError, match=rf"^node .* has other files in {folder} than this run: copy them again"):
        check_node(assigned(base), replace(found, ids=("c" * 64,)), elsewhere=True)
