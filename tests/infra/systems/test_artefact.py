"""A system's folder: what is written is what runs again, and whatever was changed in it is refused."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from data.objective import Objective
from data.requests import Generate
from experts.base_models import BaseModel, chat_template
from experts.basis import Basis, FullBasis
from infra.engines.base import Engine
from infra.engines.config import EngineConfig
from infra.engines.kinds import open_engine
from infra.evaluation.inputs import RunInputs
from infra.systems.artefact import load_system, save_system
from infra.systems.executor import run_systems
from infra.systems.free_question import FreeQuestion, question_format_of
from infra.systems.nodes import nodes_of, single
from swarm.errors import InputError
from swarm.recipes import Recipe
from tests.infra.systems.system_samples import PROMPTS, systems


@pytest.fixture(scope="module")
def inputs(base: BaseModel, basis: Basis | FullBasis, objective: Objective) -> RunInputs:
    return RunInputs(base, basis, objective, basis.ids, basis.names, "engine")


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory, inputs: RunInputs, models: tuple[Recipe, ...]) -> Path:
    folder = tmp_path_factory.mktemp("saved") / "best"
    save_system(folder, systems(models)[1], inputs, PROMPTS)
    return folder


@pytest.fixture
def copy(saved: Path, tmp_path: Path) -> Path:
    return shutil.copytree(saved, tmp_path / "copy")


def test_what_is_loaded_answers_as_what_was_saved(
    saved: Path, base: BaseModel, engine: Engine, objective: Objective, models: tuple[Recipe, ...]
) -> None:
    loaded = load_system(saved, base)
    assert loaded.prompts == PROMPTS and loaded.system.roles == systems(models)[1].roles
    question = FreeQuestion(loaded.question_format, "Which is A?", None)
    before = run_systems(engine.run, [nodes_of(systems(models)[1])], [question], PROMPTS, {})
    other = open_engine(EngineConfig(device="cpu", workers=1), base, loaded.basis)
    try:
        after = run_systems(other.run, [nodes_of(loaded.system)], [question], PROMPTS, {})
    finally:
        other.close()
    assert after.answers(0, 0) == before.answers(0, 0)


def test_a_model_in_several_nodes_is_written_once_and_equal_systems_give_equal_bytes(
    tmp_path: Path, inputs: RunInputs, models: tuple[Recipe, ...], base: BaseModel
) -> None:
    chain = systems(models)[3]
    one, two = (save_system(tmp_path / name, chain, inputs, PROMPTS) for name in ("one", "two"))
    assert one == two
    assert [path.name for path in (tmp_path / "one" / "models").iterdir()] == ["0"]
    assert load_system(tmp_path / "one", base).system.assignment == (0, 0, 0, 0)


def test_a_saved_model_loads_with_peft(saved: Path, base: BaseModel) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(base.folder)
    assert PeftModel.from_pretrained(model, str(saved / "models" / "2")).peft_config["default"].r == 4


def test_a_question_is_asked_as_the_first_task_asks(objective: Objective, base: BaseModel, models: Any) -> None:
    raw, chat = objective.tasks
    node = single(models[0])[0]
    asked = FreeQuestion(question_format_of(raw), "Which is A?", None)
    assert asked.prompt(node, str).endswith("Which is A?\n\nThe answer is")
    assert asked.final("p") == Generate("p", 6, ())
    talked = FreeQuestion(question_format_of(chat), "Which is A?", chat_template(base), "Be kind.", 3, ("\n",))
    assert talked.prompt(node, str).startswith("[system]Be kind.[user]")
    assert talked.final("p") == Generate("p", 3, ("\n",))
    with pytest.raises(InputError, match="without a chat format"):
        FreeQuestion(question_format_of(raw), "Why?", None, system="Be kind.").prompt(node, str)


def changed(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        value = json.loads((folder / "system.json").read_text())
        change(value)
        (folder / "system.json").write_text(json.dumps(value))

    return apply


def swap_weights(folder: Path) -> None:
    first, second = (folder / "models" / name / "adapter_model.safetensors" for name in "01")
    shutil.copyfile(first, second)


def link_model(folder: Path) -> None:
    (folder / "models" / "1").rename(folder.parent / "elsewhere")
    (folder / "models" / "1").symlink_to(folder.parent / "elsewhere")


BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "no file": (lambda folder: (folder / "system.json").unlink(), "cannot read"),
    "no JSON": (lambda folder: (folder / "system.json").write_text("{"), "not valid JSON"),
    "too large": (lambda folder: (folder / "system.json").write_text(" " * 2_000_000), "2000000 bytes"),
    "other format": (changed(lambda v: v.update(format="x")), "format: "),
    "newer version": (changed(lambda v: v.update(version=2)), "version: "),
    "unknown field": (changed(lambda v: v.update(code="x")), "code: "),
    "cycle": (changed(lambda v: v.update(successor=[1, 0, 3, None])), "without cycles"),
    "two ends": (changed(lambda v: v.update(successor=[2, None, 3, None])), "exactly one end"),
    "successor beyond": (changed(lambda v: v["successor"].__setitem__(0, 9)), "none of the nodes"),
    "too many nodes": (changed(lambda v: v.update(successor=[*range(1, 40), None])), "successor: "),
    "node without model": (changed(lambda v: v["nodes"].pop()), "4 nodes have successors, but 3"),
    "model beyond": (changed(lambda v: v["nodes"][0].update(model=7)), "there are 4 models"),
    "folder outside": (changed(lambda v: v["models"][0].update(folder="../x")), "not models/NAME"),
    "folder above": (changed(lambda v: v["models"][0].update(folder="models/..")), "not models/NAME"),
    "absolute folder": (changed(lambda v: v["models"][0].update(folder="/models/0")), "not models/NAME"),
    "folder twice": (changed(lambda v: v["models"][0].update(folder="models/1")), "the same folder"),
    "no hash": (changed(lambda v: v["models"][0].update(sha256="abc")), "sha256"),
    "prompt without question": (changed(lambda v: v["prompts"].update(source="Answer")), "has no {question}"),
    "other base": (changed(lambda v: v["base_model"].update(sha256="2" * 64)), "give the base model"),
    "folder missing": (lambda folder: shutil.rmtree(folder / "models" / "1"), "is missing"),
    "other weights": (swap_weights, "not those that were saved"),
    "link": (link_model, "leads elsewhere"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_system_that_was_changed_is_refused_in_one_line(case: str, copy: Path, base: BaseModel) -> None:
    breaks, message = BROKEN[case]
    breaks(copy)
    with pytest.raises(InputError) as error_info:
        load_system(copy, base)
    assert message in str(error_info.value) and "\n" not in str(error_info.value)
