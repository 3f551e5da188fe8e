"""Code that lies beside a model is never run, whatever its configuration asks for."""

import io
import json
import sys
from pathlib import Path

import pytest
import torch

from experts.adapters import read_adapters
from experts.base_models import chat_template, resolve_base_model
from experts.basis import stack_adapters
from infra.engines.config import EngineConfig
from infra.engines.kinds import open_engine
from swarm.errors import InputError
from tests.tiny import make_base, make_expert

torch.set_num_threads(1)
pytestmark = pytest.mark.usefixtures("somebody_who_says_yes")

CLASSES = {"AutoConfig": "evil.EvilConfig", "AutoModelForCausalLM": "evil.Evil", "AutoTokenizer": ["evil.Evil", None]}


@pytest.fixture
def somebody_who_says_yes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answer yes to every question: transformers asks whether to run the code where it was not told."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n" * 20))


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    """A file that the code beside the model would make, if it ran."""
    return tmp_path / "canary"


@pytest.fixture
def model(tmp_path: Path, canary: Path) -> Path:
    folder = make_base(tmp_path / "base")
    (folder / "evil.py").write_text(f"open({str(canary)!r}, 'w').close()\nclass Evil: ...\nclass EvilConfig: ...\n")
    for name in ("config.json", "tokenizer_config.json"):
        _edit(folder / name, auto_map=CLASSES)
    return folder


def test_a_known_model_is_loaded_by_the_code_that_is_installed(model: Path, canary: Path, tmp_path: Path) -> None:
    _open(model, tmp_path)
    chat_template(resolve_base_model(str(model), tmp_path))
    assert not canary.exists()


def test_a_model_that_only_its_own_code_can_load_is_an_error(model: Path, canary: Path, tmp_path: Path) -> None:
    _edit(model / "config.json", model_type="evil", architectures=["Evil"])
    with pytest.raises(InputError, match="can't be loaded"):
        _open(model, tmp_path)
    assert not canary.exists()


def _open(model: Path, tmp_path: Path) -> None:
    base = resolve_base_model(str(model), tmp_path)
    basis = stack_adapters(read_adapters([make_expert(tmp_path / "expert", model, seed=0)], base))
    open_engine(EngineConfig(device="cpu", workers=1), base, basis).close()


def _edit(path: Path, **changes: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
