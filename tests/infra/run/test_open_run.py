from contextlib import suppress
from pathlib import Path
from threading import Event, Thread

import pytest

from infra.configs.yaml_files import load_config
from infra.evaluation.recipes import RecipeGroup
from infra.files.locks import require_free
from infra.records.store import Records
from infra.records.values import RunStatus
from infra.run.open_run import OpenRun
from infra.searches.model_swarms.config import ModelSwarmsConfig
from infra.searches.model_swarms.inputs import SwarmRun, read_inputs
from infra.settings import Settings
from swarm.errors import EvaluationError, InputError
from swarm.recipes import Recipe
from tests.tiny_search import RUN, make_search


@pytest.fixture
def config(tmp_path: Path) -> ModelSwarmsConfig:
    return load_config(make_search(tmp_path), ModelSwarmsConfig)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(runs=tmp_path / "runs", cache=tmp_path / "cache")


def expert(run: SwarmRun, index: int) -> Recipe:
    return Recipe(run.inputs.bases, tuple(float(i == index) for i in range(len(run.inputs.bases))), run.config.space)


def test_an_evaluated_group_is_found_and_not_evaluated_again(config: ModelSwarmsConfig, settings: Settings) -> None:
    with OpenRun(config, read_inputs, settings) as run:
        first = run.groups.evaluate(RecipeGroup.of([expert(run, 0), expert(run, 1)], "dev"))
        assert run.groups.evaluate(RecipeGroup.of([expert(run, 0), expert(run, 1)], "dev")) == first
        assert [group.finished for group in run.records.evaluation_groups()] == [1]
        assert run.groups.evaluate(RecipeGroup.of([expert(run, 0)], "dev"))["group"] != first["group"]


def test_the_lock_is_freed_only_when_the_scores_under_way_are_saved(
    config: ModelSwarmsConfig, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    saving, go_on, entered = Event(), Event(), Event()
    save = Records.save_evaluation_group

    def slow(*arguments: object, **named: object) -> object:
        saving.set()
        assert go_on.wait(60)
        return save(*arguments, **named)  # type: ignore[arg-type]

    def interrupted() -> None:
        with suppress(KeyboardInterrupt), OpenRun(config, read_inputs, settings) as run:
            Thread(target=run.groups.evaluate, args=(RecipeGroup.of([expert(run, 0)], "dev"),)).start()
            assert saving.wait(60)
            entered.set()
            raise KeyboardInterrupt

    monkeypatch.setattr(Records, "save_evaluation_group", slow)
    driver = Thread(target=interrupted)
    driver.start()
    assert entered.wait(60)
    driver.join(timeout=1)
    assert driver.is_alive()
    with pytest.raises(InputError, match="is driven by process"):
        require_free(settings.runs / RUN)
    go_on.set()
    driver.join(60)
    require_free(settings.runs / RUN)
    with Records(settings.records_url) as records:
        assert [group.finished for group in records.evaluation_groups()] == [1]
        assert records.run(RUN).status is RunStatus.STOPPED


def test_what_is_recorded_can_be_resumed_from_its_folder(
    config: ModelSwarmsConfig, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Records, "clear_stop", killed)
    with pytest.raises(KeyboardInterrupt), OpenRun(config, read_inputs, settings):
        pass
    with Records(settings.records_url) as records:
        assert records.has_run(RUN)
    assert load_config(settings.runs / RUN / "config.yaml", ModelSwarmsConfig) == config


def test_a_failure_is_recorded_and_never_a_score(config: ModelSwarmsConfig, settings: Settings) -> None:
    with pytest.raises(EvaluationError), OpenRun(config, read_inputs, settings):
        raise EvaluationError("the engine is gone")
    with Records(settings.records_url) as records:
        assert records.run(RUN).status is RunStatus.FAILED
        assert records.run(RUN).error == "EvaluationError: the engine is gone"
        assert records.evaluation_groups() == []
