"""A search whose objective has scores of every kind that is not a share of right answers."""

import json
from pathlib import Path

import pytest
import yaml
from searches import SMALL, call
from tiny_search import CONFIG, make_search

from infra.config_files import load_config
from infra.configs.model_swarms import ModelSwarmsConfig
from infra.prepare import prepare
from infra.settings import Settings

TASKS = [
    {"kind": "conciseness", "data": "data.json", "max_new_tokens": 8},
    {"kind": "likelihood", "data": "data.json", "name": "likelihood"},
    {"kind": "countdown", "data": "countdown.json", "max_new_tokens": 8},
    {"kind": "function", "data": "data.json", "name": "vowels", "score": "scoring:vowels", "max_new_tokens": 8},
]
SCORING = "def vowels(example, completion):\n    return -sum(completion.count(vowel) for vowel in 'aeiou')\n"


def write(folder: Path) -> Path:
    config = make_search(folder)
    splits = {
        split: [{"context": f"{split} {n}", "numbers": [n, 1], "target": str(n + 1)} for n in range(3)]
        for split in ("dev", "test")
    }
    (folder / "countdown.json").write_text(json.dumps(splits))
    (folder / "scoring.py").write_text(SCORING)
    tasks = [{**task, "dev": 3, "test": 3} for task in TASKS]
    config.write_text(yaml.safe_dump({**CONFIG, "objective": {"tasks": tasks}}))
    return config


def test_a_run_whose_files_moved_has_the_same_settings() -> None:
    value = {**CONFIG, "objective": {"tasks": TASKS}}
    here, there = (
        ModelSwarmsConfig.model_validate(value, context={"folder": Path(folder)}) for folder in ("/here", "/there")
    )
    assert here.settings() == there.settings()


@pytest.mark.usefixtures("prefect_api")
def test_scores_of_every_size_and_sign_are_searched_reported_and_found_again(tmp_path: Path, runs: Path) -> None:
    config = load_config(write(tmp_path), ModelSwarmsConfig, SMALL)
    summary = call(config).result()
    low, high = summary["ending_best"]["test_ci95"]
    assert low <= summary["ending_best"]["test"] <= high < 0
    assert summary["ending_best"]["dev"] >= summary["starting_best"]["dev"]
    assert (runs / "tiny" / "report.html").is_file()
    kept = load_config(runs / "tiny" / "config.yaml", ModelSwarmsConfig, [])
    assert prepare(kept, Settings()).objective.key == prepare(config, Settings()).objective.key
    assert kept.settings() == config.settings()
