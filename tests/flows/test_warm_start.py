"""A search that goes on from what an earlier run found, on other data."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from flows.searches import prepare
from infra.records.store import Records
from infra.records.values import Purpose, RunStatus
from infra.searches.model_swarms.config import ModelSwarmsConfig
from infra.settings import Settings
from swarm.errors import InputError
from swarm.state import State
from tests.flows.searches import Searched, call, finished, records_url, status
from tests.tiny import make_expert


@pytest.fixture
def new_data(tmp_path: Path, searched: Searched) -> Path:
    """The searched data with other answers."""
    data = json.loads(searched.config.objective.tasks[0].data.read_text())
    draws = random.Random(1)
    for split in ("dev", "test"):
        data[split] = [{**example, "answer": draws.choice("abcdefghij")} for example in data[split]]
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "data.json").write_text(json.dumps(data))
    return tmp_path / "new" / "data.json"


def warm(config: ModelSwarmsConfig, **changes: Any) -> ModelSwarmsConfig:
    value = config.model_dump(mode="json") | {"name": "warm", "warm_start": "tiny"} | changes
    value["search"]["particles"] = 6
    return ModelSwarmsConfig.model_validate(value)


def on(data: Path, config: ModelSwarmsConfig) -> dict[str, Any]:
    objective = config.objective.model_dump(mode="json")
    objective["tasks"][0]["data"] = str(data)
    return {"objective": objective}


def test_it_begins_with_the_experts_and_what_was_found_and_says_what_that_is_worth_now(
    searched: Searched, runs: Path, new_data: Path
) -> None:
    searched.copied(runs)
    outcome = call(warm(searched.config, **on(new_data, searched.config)))
    assert outcome.is_completed(), outcome.message
    with Records(records_url(runs)) as records:
        before = State.from_json(records.iterations("tiny")[-1].state)
        first = State.from_json(records.iteration("warm", 0).state)
        linked = records.run_evaluations("warm", Purpose.PREVIOUS_BEST)
        assert "warm start" in records.run("warm").identity
    best = before.global_best
    assert best is not None
    assert first.positions[4].tolist() == best.coefficients.tolist()
    said = outcome.result()["previous_best"]
    assert (said["run"], said["dev"]) == ("tiny", first.utilities[4])
    assert [result.evaluation.recipe["coefficients"] for result in linked] == [best.coefficients.tolist()]
    report = (runs / "warm" / "report.html").read_text()
    assert "Best of run tiny" in report
    assert "what run tiny had found" in report


def test_on_the_same_data_evaluations_of_the_same_groups_are_not_made_again(searched: Searched, runs: Path) -> None:
    searched.copied(runs)
    assert call(warm(searched.config)).is_completed()
    assert status(runs, "warm") is RunStatus.FINISHED
    assert set(finished(runs).values()) == {1}


def refusal(config: ModelSwarmsConfig) -> str:
    with pytest.raises(InputError) as refused:
        prepare(config, Settings())
    [line] = str(refused.value).splitlines()
    return line


def test_a_run_among_other_experts_is_refused(searched: Searched, runs: Path, tmp_path: Path) -> None:
    searched.copied(runs)
    experts = [str(path) for path in searched.config.experts]
    fewer = warm(searched.config, experts=experts[:2])
    assert refusal(fewer) == (
        "field 'warm_start': the experts of run 'tiny' differ: base, one, three, two there, base, one, two here: "
        "put them back as they were, or leave warm_start out"
    )
    make_expert(tmp_path / "two", Path(searched.config.base_model), 9, scale=0.4)
    changed = warm(searched.config, experts=[experts[0], str(tmp_path / "two"), experts[2]])
    assert refusal(changed).startswith("field 'warm_start': the experts' weights of run 'tiny' differ: put them back")


def test_another_space_is_refused(searched: Searched, runs: Path) -> None:
    searched.copied(runs)
    assert refusal(warm(searched.config, space="factors")).startswith(
        "field 'warm_start': the space of run 'tiny' differs: product there, factors here: "
    )


def test_a_run_that_is_not_there_or_not_finished_is_refused(searched: Searched, runs: Path) -> None:
    searched.copied(runs)
    assert "'missing'" in refusal(warm(searched.config, warm_start="missing"))
    with Records(records_url(runs)) as records:
        records.start_run("begun", "model-swarms", {}, {}, 0)
    assert refusal(warm(searched.config, warm_start="begun")) == (
        "field 'warm_start': run 'begun' is not finished: name a finished run of model-swarms"
    )


def test_experts_in_another_order_mean_the_same(searched: Searched, runs: Path) -> None:
    searched.copied(runs)
    straight = prepare(warm(searched.config), Settings()).warm_start
    turned = prepare(warm(searched.config, experts=[str(p) for p in reversed(searched.config.experts)]), Settings())
    assert straight is not None and turned.warm_start is not None
    best, again = straight.positions[0], turned.warm_start.positions[0]
    assert again == (*reversed(best[:-1]), best[-1])
