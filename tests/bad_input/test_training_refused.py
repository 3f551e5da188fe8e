"""Training files, and what lies where an expert is to be trained."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from experts.base_models import BaseModel, resolve_base_model
from experts.training import CHECKPOINT_EVERY, train_expert
from experts.training_config import Source, TrainingConfig
from tests.bad_input.broken_world import BreakableWorld, Refused


@pytest.fixture
def training(world: BreakableWorld) -> Path:
    """A training file in which nothing is wrong."""
    world.edit_data(lambda data: data.update(train=[{"question": "a?", "answer": "b"}]))
    path = world.folder / "train.yaml"
    fields = {"name": "four", "output": "experts", "base_model": str(world.base), "data": [{"path": "data.json"}]}
    path.write_text(yaml.safe_dump(fields | {"training": {"rank": 2, "steps": 1, "batch_size": 1}}))
    return path


def edit(path: Path, **changes: Any) -> None:
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"nome": "x"}, "unknown field 'nome': did you mean 'name'?"),
        ({"training": {"stepps": 1}}, "unknown field 'training.stepps': did you mean 'steps'?"),
        (
            {"training": {"rank": 0}},
            "field 'training.rank': input should be greater than or equal to 1 (it is 0)",
        ),
        ({"data": []}, "field 'data': has 0 and needs at least 1: add 1 or more"),
    ],
)
def test_a_field_that_is_wrong(training: Path, refused: Refused, changes: dict[str, Any], message: str) -> None:
    edit(training, **changes)
    assert refused("experts", "train", training) == f"{training}: {message}"


def test_a_name_that_leads_elsewhere(training: Path, refused: Refused) -> None:
    edit(training, name="../four")
    assert refused("experts", "train", training).startswith(f"{training}: field 'name': ")


def test_data_without_training_examples(training: Path, world: BreakableWorld, refused: Refused) -> None:
    world.edit_data(lambda data: data.pop("train"))
    message = refused("experts", "train", training)
    assert message.startswith(f'{world.data}: has no "train" split with examples: add one')


def test_a_start_that_is_truncated(training: Path, world: BreakableWorld, refused: Refused) -> None:
    weights = world.expert("one") / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    edit(training, start="experts/one")
    message = refused("experts", "train", training)
    assert message.startswith(f"{weights} is truncated or corrupt (")
    assert message.endswith("): copy it again")


@pytest.mark.parametrize("provenance", [None, "{", "[]", "{}"])
def test_a_folder_that_holds_something_else(
    training: Path, world: BreakableWorld, refused: Refused, provenance: str | None
) -> None:
    world.expert("four").mkdir()
    if provenance is not None:
        (world.expert("four") / "provenance.json").write_text(provenance)
    assert refused("experts", "train", training) == (
        f"{world.expert('four')} already holds something else: remove it, or train into another folder"
    )


@pytest.mark.parametrize("damaged", ["progress.json", "adapter.safetensors", "moments.safetensors"])
def test_a_damaged_checkpoint_is_not_trusted_and_no_crash(
    world: BreakableWorld, damaged: str, caplog: pytest.LogCaptureFixture
) -> None:
    base = resolve_base_model(str(world.base), world.folder)
    _train(base, world.folder / "uninterrupted")
    with pytest.raises(KeyboardInterrupt):
        _train(base, world.folder / "resumed", interrupted=True)
    file = world.folder / ".resumed.training" / damaged
    file.write_bytes(file.read_bytes()[:-1])
    _train(base, world.folder / "resumed")
    weights = [world.folder / name / "adapter_model.safetensors" for name in ("uninterrupted", "resumed")]
    assert weights[0].read_bytes() == weights[1].read_bytes()
    assert f"the checkpoint {file.parent} is damaged" in caplog.text


def _train(base: BaseModel, folder: Path, interrupted: bool = False) -> None:
    def progress(step: int, steps: int, loss: float) -> None:
        if interrupted and step > CHECKPOINT_EVERY:
            raise KeyboardInterrupt

    config = TrainingConfig(rank=2, steps=CHECKPOINT_EVERY + 2, batch_size=1, warmup=1)
    train_expert(base, config, [Source("letters", "0" * 64, 1.0, [("a?", " b")])], folder, progress=progress)
    assert json.loads((folder / "provenance.json").read_text())["base_sha256"] == base.sha256
