"""What is looked at before a run: read once per command, and handed over to the flow."""

from pathlib import Path

import pytest

import infra.searches.experts
from experts.base_models import BaseModel
from infra.configs.yaml_files import load_config
from infra.evaluation.inputs import RunInputs
from infra.run.prepare import hand_over, prepare
from infra.searches.model_swarms.config import ModelSwarmsConfig
from infra.searches.model_swarms.inputs import SwarmInputs, read_inputs
from infra.settings import Settings
from tests.searches.swarm_in_process import Swarm
from tests.tiny_search import make_search


@pytest.fixture
def config(tmp_path: Path) -> ModelSwarmsConfig:
    return load_config(make_search(tmp_path), ModelSwarmsConfig)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(runs=tmp_path / "runs", cache=tmp_path / "cache")


def refuse(config: ModelSwarmsConfig, base: BaseModel, settings: Settings) -> SwarmInputs:
    raise AssertionError("the inputs are read again")


def test_what_was_handed_over_is_not_read_again(config: ModelSwarmsConfig, settings: Settings) -> None:
    inputs = prepare(config, settings, read_inputs)
    with hand_over(config, inputs):
        assert prepare(config.model_copy(deep=True), settings, refuse) is inputs
    with pytest.raises(AssertionError, match="read again"):
        prepare(config, settings, refuse)


def test_another_configuration_is_read_for_itself(config: ModelSwarmsConfig, settings: Settings) -> None:
    other = config.model_copy(update={"include_base": not config.include_base})
    with hand_over(config, prepare(config, settings, read_inputs)):
        assert len(prepare(other, settings, read_inputs).bases) != len(prepare(config, settings, refuse).bases)


def test_a_command_reads_the_experts_once(prefect_api: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[RunInputs] = []
    real = infra.searches.experts.read_experts

    def counting(*arguments: object) -> RunInputs:
        calls.append(real(*arguments))  # type: ignore[arg-type]
        return calls[-1]

    monkeypatch.setattr("infra.searches.model_swarms.inputs.read_experts", counting)
    file = make_search(tmp_path)
    Swarm(tmp_path / "runs", monkeypatch)("run", file, "--set", "search.max_iterations=1")
    assert len(calls) == 1
