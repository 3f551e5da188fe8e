"""What the repository's demo folder holds is what its own files, and the commands in docs/demo.md, say."""

import json
from pathlib import Path

import pytest

from data.skills.generate import generate
from data.skills.relay import ASKED, RESPONSE
from experts.files import file_sha256
from experts.trainer import adapter_weights
from flows.searches import load_run_config
from infra.configs.training import TrainingFile, training_sources
from infra.configs.yaml_files import load_config
from infra.systems.questions import wrap_question

DEMO = Path(__file__).parents[2] / "demo"
SYSTEM, RIVAL = DEMO / "heterogeneous-swarms.yaml", DEMO / "relay-model-swarms.yaml"
TRAININGS = sorted(path for folder in ("experts", "relay") for path in (DEMO / folder).glob("*.yaml"))
SKILLS = sorted(path.stem for path in (DEMO / "data").glob("*.json") if path.stem != "conciseness")


@pytest.mark.parametrize("skill", SKILLS)
def test_a_data_file_is_what_the_generator_makes(skill):
    made = generate(skill, seed=0, train=1000, dev=80, test=300)
    assert json.loads((DEMO / "data" / f"{skill}.json").read_text()) == made


@pytest.mark.parametrize("path", TRAININGS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_an_expert_is_what_its_training_file_says(path):
    file = load_config(path, TrainingFile)
    provenance = json.loads((file.folder / "provenance.json").read_text())
    assert provenance["config"] == file.training.model_dump()
    assert provenance["data"] == [
        {"name": source.name, "sha256": source.sha256, "share": source.share} for source in training_sources(file)
    ]
    start = None if file.start is None else (file.start.name, file_sha256(adapter_weights(file.start)))
    assert provenance["start"] == (None if start is None else dict(zip(("name", "sha256"), start, strict=True)))
    assert len(provenance["losses"]) == file.training.steps


def test_the_experts_together_have_at_most_12_megabytes():
    assert sum(path.stat().st_size for path in DEMO.rglob("*.safetensors")) <= 12e6


@pytest.mark.parametrize("path", sorted(DEMO.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_run_s_file_is_a_configuration_whose_data_and_experts_are_there(path):
    config = load_run_config(path)
    assert all(task.data.is_file() for task in config.objective.tasks)
    assert all((folder / "adapter_model.safetensors").is_file() for folder in getattr(config, "experts", []))


def test_the_search_from_rewards_starts_from_what_its_training_file_makes():
    made = load_config(DEMO / "skill" / "novice.yaml", TrainingFile)
    assert load_run_config(DEMO / "skill-from-rewards.yaml").start.resolve() == made.folder.resolve()
    assert [source.name for source in training_sources(made)]


def test_nodes_are_told_what_the_experts_were_trained_on():
    system = load_run_config(SYSTEM).system
    responses = ["A B C D E", "B"]
    lines = [RESPONSE.replace("{response}", response) for response in responses]
    assert wrap_question("Which?\nAnswer:", "", responses, system) == "\n".join(("Which?", ASKED, *lines, ASKED))
    assert wrap_question("Which?\nAnswer:", "", [], system) == "Which?\nAnswer:"


def test_model_swarms_is_compared_on_the_same_experts_and_data():
    system, rival = load_run_config(SYSTEM), load_run_config(RIVAL)
    for field in ("seed", "base_model", "experts", "space", "include_base", "objective"):
        assert getattr(system, field) == getattr(rival, field)


def test_all_experts_belong_to_one_base_model():
    provenances = [json.loads(path.read_text()) for path in DEMO.rglob("provenance.json")]
    assert len(provenances) == len(TRAININGS)
    assert len({provenance["base_sha256"] for provenance in provenances}) == 1
