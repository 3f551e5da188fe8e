"""The flow over other experts and other settings than the ones that most tests use."""

from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from transformers import AutoModelForCausalLM

from infra.configs.yaml_files import load_config
from infra.searches.model_swarms.config import ModelSwarmsConfig
from tests.flows.searches import SMALL, call
from tests.tiny import make_base
from tests.tiny_search import CONFIG, make_search


def configured(folder: Path, overrides: list[str], **fields: Any) -> ModelSwarmsConfig:
    """Return the tiny search's configuration with other top-level fields, then with overrides."""
    make_search(folder)
    (folder / "run.yaml").write_text(yaml.safe_dump({**CONFIG, **fields}))
    return load_config(folder / "run.yaml", ModelSwarmsConfig, [*SMALL, *overrides])


@pytest.mark.usefixtures("prefect_api")
def test_full_models_are_searched_and_the_best_is_a_whole_model(tmp_path: Path, runs: Path) -> None:
    for seed in (1, 2):
        make_base(tmp_path / f"model{seed}", seed=seed)
    config = configured(tmp_path, [], experts=["model1", "model2"])
    summary = call(config).result()
    best = AutoModelForCausalLM.from_pretrained(runs / "tiny" / "best").state_dict()
    weights = summary["ending_best"]["recipe"]["coefficients"]
    experts = {
        name: AutoModelForCausalLM.from_pretrained(tmp_path / name).state_dict()
        for name in ("base", "model1", "model2")
    }
    for name, tensor in best.items():
        expectation = sum(weights[expert] * tensors[name].double() for expert, tensors in experts.items())
        torch.testing.assert_close(tensor.double(), expectation, rtol=1e-5, atol=1e-6)


@pytest.mark.usefixtures("prefect_api", "runs")
def test_the_reference_behaviour_runs_to_its_end(tmp_path: Path) -> None:
    config = configured(tmp_path, ["search.reference=true"], include_base=False, space="factors")
    summary = call(config).result()
    assert config.search.repulsion == 0.3
    assert (summary["iterations"], summary["stopped_by"]) == (2, "max_iterations")


@pytest.mark.usefixtures("prefect_api", "runs")
def test_several_tasks_are_searched_by_their_harmonic_mean(tmp_path: Path) -> None:
    task = CONFIG["objective"]["tasks"][0]
    tasks = [task, {**task, "name": "again", "match": "word"}]
    summary = call(configured(tmp_path, [], objective={"tasks": tasks, "aggregate": "harmonic_mean"})).result()
    assert set(summary["objective"]) == {"data", "again"}
    low, high = summary["ending_best"]["test_ci95"]
    assert 0 <= low <= summary["ending_best"]["test"] <= high <= 1
