import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from peft import PeftModel
from transformers import AutoModelForCausalLM

from experts.base_models import BaseModel, resolve_base_model
from experts.files import file_sha256
from experts.training import train_expert
from experts.training_config import Source, TrainingConfig
from swarm.errors import InputError

PAIRS = tuple((f"{a}+{b}=", str(a + b)) for a in range(5) for b in range(5))
CONFIG = TrainingConfig(rank=2, alpha=4, targets=["q_proj", "v_proj"], steps=60, batch_size=4, learning_rate=1e-2)

CHILD = """
import os, signal
from pathlib import Path
from tests.experts.test_training import CONFIG, sources, tiny
from experts.training import train_expert
def kill(done, total, loss):
    if done == 40:
        os.kill(os.getpid(), signal.SIGKILL)
train_expert(tiny(Path({base!r})), CONFIG, sources(), Path({folder!r}), progress=kill)
"""


def sources():
    return [Source("sums", "a" * 64, 1.0, PAIRS)]


def tiny(folder: Path) -> BaseModel:
    return resolve_base_model(str(folder), folder.parent)


@pytest.fixture(scope="module")
def base(base_folder) -> BaseModel:
    """The shared base model with the hash of its content, which the provenance of an expert names."""
    return tiny(base_folder)


@pytest.fixture(scope="module")
def expert(base, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("experts") / "sums"
    train_expert(base, CONFIG, sources(), folder)
    return folder


def weights(folder: Path) -> str:
    return file_sha256(folder / "adapter_model.safetensors")


def test_training_lowers_the_loss_and_says_so(expert):
    provenance = json.loads((expert / "provenance.json").read_text())
    losses = provenance["losses"]
    assert len(losses) == 60
    assert provenance["final_loss"] == pytest.approx(sum(losses[-10:]) / 10)
    assert provenance["final_loss"] < 0.7 * losses[0]


def test_the_provenance_names_base_data_and_config(expert, base):
    provenance = json.loads((expert / "provenance.json").read_text())
    assert provenance["base_sha256"] == base.sha256
    assert provenance["data"] == [{"name": "sums", "sha256": "a" * 64, "share": 1.0}]
    assert provenance["config"] == CONFIG.model_dump()
    assert provenance["start"] is None


def test_plain_peft_loads_the_expert(expert, base):
    model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base.folder), expert)
    assert model.peft_config["default"].r == 2
    assert {parameter.abs().sum().item() > 0 for name, parameter in model.named_parameters() if "lora_B" in name} == {
        True
    }


@pytest.mark.slow
def test_a_killed_training_goes_on_to_the_same_bits(expert, base, tmp_path):
    folder = tmp_path / "sums"
    child = CHILD.format(base=str(base.folder), folder=str(folder))
    environment = {"PYTHONPATH": str(Path(__file__).parents[2]), "HF_HUB_OFFLINE": "1"}
    killed = subprocess.run([sys.executable, "-c", child], env=environment, capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    assert not folder.exists()
    steps = []
    train_expert(base, CONFIG, sources(), folder, progress=lambda done, total, loss: steps.append(done))
    assert steps == list(range(26, 61))
    assert weights(folder) == weights(expert)
    assert [path.name for path in tmp_path.iterdir()] == ["sums"]


def test_a_finished_expert_is_not_trained_again(expert, base):
    before = weights(expert)
    train_expert(base, CONFIG, sources(), expert, progress=lambda *_: pytest.fail("trained again"))
    assert weights(expert) == before


def test_another_config_never_replaces_an_expert(expert, base):
    before = weights(expert)
    with pytest.raises(InputError, match="already holds something else: remove it, or train into another folder"):
        train_expert(base, CONFIG.model_copy(update={"seed": 1}), sources(), expert)
    assert weights(expert) == before


def test_an_expert_can_start_from_another(expert, base, tmp_path):
    short = CONFIG.model_copy(update={"steps": 1, "learning_rate": 1e-9})
    provenance = train_expert(base, short, sources(), tmp_path / "next", start=expert)
    assert provenance["start"] == {"name": "sums", "sha256": weights(expert)}
    assert weights(tmp_path / "next") == weights(expert)
