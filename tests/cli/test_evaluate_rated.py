"""`swarm evaluate` and `swarm run` with objectives that are rated from outside."""

import json
from pathlib import Path

import pytest
import yaml

from flows.searches import load_run_config
from infra.records.store import Records
from infra.settings import Settings
from tests.cli.command_line import Command, World
from tests.tiny_raters import make_rater


def configured(world: World, folder: Path, **task: object) -> Path:
    config = yaml.safe_load(world.config.read_text())
    tasks = [{"data": str(world.folder / "words.json"), "dev": 3, "test": 3, "max_new_tokens": 8, **task}]
    experts = [str(world.expert(name)) for name in ("one", "two")]
    path = folder / "rated.yaml"
    path.write_text(yaml.safe_dump({**config, "experts": experts, "objective": {"tasks": tasks}}))
    return path


def test_rewards_are_put_on_the_scale_of_the_configs_experts_which_is_measured_once(
    command: Command, world: World, settings: Settings, tmp_path: Path
) -> None:
    config = configured(world, tmp_path, kind="reward_model", model=str(make_rater(tmp_path / "reward")))
    result = [
        command("evaluate", world.expert(name), "--objective", config, "--json") for name in ("one", "two", "three")
    ]
    assert [outcome.code for outcome in result] == [0, 0, 0], result[0].err
    with Records(settings.records_url) as records:
        groups = records.evaluation_groups()
        scale, *evaluations = [records.evaluation_group(group.key) or () for group in groups]
    assert [len(scale), *map(len, evaluations)] == [2, 1, 1, 1]
    scores = [json.loads(text)["score"] for [record] in evaluations[:2] for text in record.predictions]
    assert (min(scores), max(scores)) == (0.0, 1.0)
    again = command("evaluate", world.expert("one"), "--objective", config, "--json")
    assert again.json["from_records"] is True
    assert again.json["utility"] == result[0].json["utility"]


@pytest.mark.parametrize(
    ("task", "message"),
    [
        ({"kind": "judge", "model": "judge-1"}, "the objective has a judge, but SWARM_JUDGE_URL is not set"),
        (
            {"kind": "toxicity", "scorer": {"kind": "perspective"}},
            "the objective asks the Perspective API, but SWARM_PERSPECTIVE_API_KEY is not set",
        ),
        ({"kind": "reward_model", "model": "nowhere"}, "model 'nowhere' is neither a folder nor a hub id"),
        (
            {"kind": "toxicity", "scorer": {"kind": "classifier", "model": "owner/name", "label": "toxic"}},
            "model 'owner/name' can't be used for rating",
        ),
    ],
)
def test_a_scorer_that_cannot_be_had_is_refused_before_anything_starts(
    command: Command,
    world: World,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    task: dict[str, object],
    message: str,
) -> None:
    for name in ("SWARM_JUDGE_URL", "SWARM_PERSPECTIVE_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    outcome = command("run", configured(world, tmp_path, **task))
    assert outcome.code == 2
    assert outcome.error.startswith(f"error: task 'words': {message}")


def test_an_address_in_a_config_is_refused_where_a_name_is_meant(
    command: Command, world: World, tmp_path: Path
) -> None:
    outcome = command("run", configured(world, tmp_path, kind="judge", model="http://127.0.0.1:8000/v1"))
    assert outcome.code == 2
    assert outcome.error == (
        f"error: {tmp_path}/rated.yaml: field 'objective.tasks.0.model': 'http://127.0.0.1:8000/v1' is an address: "
        "give a folder or an id; SWARM_… variables say where services are"
    )


@pytest.mark.parametrize(
    ("scorer", "message"),
    [
        ({"kind": "classifier", "model": "owner/name"}, "field 'objective.tasks.0.scorer.label' is missing: add it"),
        (
            {"kind": "classifier", "model": "owner/name", "labl": "toxic", "label": "toxic"},
            "unknown field 'objective.tasks.0.scorer.labl': did you mean 'label'?",
        ),
        ({"kind": "detoxify"}, "field 'objective.tasks.0.scorer.kind': there is no 'detoxify', only perspective,"),
        ({}, "field 'objective.tasks.0.scorer.kind' is missing: add it"),
    ],
)
def test_what_is_wrong_with_a_scorer_is_named_by_its_place(
    command: Command, world: World, tmp_path: Path, scorer: dict[str, str], message: str
) -> None:
    outcome = command("run", configured(world, tmp_path, kind="toxicity", scorer=scorer))
    assert outcome.code == 2
    assert outcome.error.startswith(f"error: {tmp_path}/rated.yaml: {message}")


def test_a_run_whose_models_moved_has_the_same_settings(tmp_path: Path, world: World) -> None:
    result = []
    for name in ("here", "there"):
        folder = tmp_path / name
        for model in ("reward", "classes"):
            (folder / model).mkdir(parents=True)
        scorer = {"kind": "classifier", "model": "classes", "label": "toxic"}
        config = configured(world, folder, kind="toxicity", scorer=scorer)
        value = yaml.safe_load(config.read_text())
        value["objective"]["tasks"].append({"kind": "reward_model", "data": "r.json", "model": "reward"})
        config.write_text(yaml.safe_dump(value))
        result.append(load_run_config(config).settings())
    assert result[0] == result[1]
    assert [task.get("model") for task in result[0]["objective"]["tasks"]] == [None, "reward"]
