"""`swarm experts list`, `swarm experts check`, `swarm experts train`."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from experts.adapters import read_adapter
from experts.base_models import resolve_base_model
from tests.cli.command_line import Command, World
from tests.tiny import make_base, make_expert

CHOICES = "down_proj, gate_proj, k_proj, o_proj, q_proj, up_proj, v_proj"


def training_file(world: World, folder: Path, name: str = "letters", **fields: Any) -> Path:
    content = {
        "name": name,
        "output": "trained",
        "base_model": str(world.base),
        "training": {"rank": 2, "targets": ["q_proj"], "steps": 3, "batch_size": 2},
        "data": [{"path": str(world.data), "share": 3}],
        **fields,
    }
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def test_the_experts_below_a_folder_are_listed_with_what_is_known_of_them(command: Command, world: World) -> None:
    listing = command("experts", "list", world.folder / "experts", "--json").json
    size = (world.expert("one") / "adapter_model.safetensors").stat().st_size
    assert [expert["name"] for expert in listing] == ["one", "three", "two"]
    assert listing[0] == {
        "name": "one",
        "folder": str(world.expert("one")),
        "kind": "adapter",
        "rank": 4,
        "targets": ["q_proj", "v_proj"],
        "base": str(world.base),
        "bytes": size,
        "data": None,
        "final_loss": None,
        "problem": None,
    }
    header, *rows = command("experts", "list", world.folder / "experts").lines
    assert header.split()[:3] == ["expert", "rank", "targets"]
    assert [row.split()[:4] for row in rows] == [[name, "4", "q_proj", "v_proj"] for name in ("one", "three", "two")]


def test_the_experts_of_a_runs_config_are_listed_in_its_order(command: Command, world: World) -> None:
    listing = command("experts", "list", world.config, "--json").json
    assert [expert["name"] for expert in listing] == ["one", "two", "three"]


def test_a_damaged_expert_is_listed_with_its_problem(command: Command, world: World, tmp_path: Path) -> None:
    make_expert(tmp_path / "experts" / "whole", world.base, seed=1)
    damaged = make_expert(tmp_path / "experts" / "damaged", world.base, seed=2)
    (damaged / "adapter_config.json").write_text("{")
    outcome = command("experts", "list", tmp_path / "experts")
    assert outcome.code == 0
    assert [row.split()[0] for row in outcome.lines[1:]] == ["damaged", "whole"]
    [problem] = outcome.err.splitlines()
    assert problem.startswith("expert 'damaged': ")


def test_the_checkpoint_of_a_training_under_way_is_not_an_expert(
    command: Command, world: World, tmp_path: Path
) -> None:
    make_expert(tmp_path / "whole", world.base, seed=1)
    make_expert(tmp_path / ".other.training", world.base, seed=2)
    assert [expert["name"] for expert in command("experts", "list", tmp_path, "--json").json] == ["whole"]


def test_a_folder_without_experts_is_refused(command: Command, tmp_path: Path) -> None:
    empty, missing = command("experts", "list", tmp_path), command("experts", "list", tmp_path / "none")
    assert (empty.code, missing.code) == (2, 2)
    assert empty.error == f"error: {tmp_path}: holds no adapter (adapter_config.json): name a folder with experts"
    assert missing.error == f"error: {tmp_path}/none: there is no such folder or config file: check the path"


def test_experts_that_fit_their_base_are_ok(command: Command, world: World, tmp_path: Path) -> None:
    base = resolve_base_model(str(world.base), tmp_path)
    folders = [world.expert("one"), world.expert("two")]
    checks = command("experts", "check", *folders, "--base", world.base, "--json").json
    assert checks == [
        {
            "name": folder.name,
            "folder": str(folder),
            "id": read_adapter(folder, base).id,
            "kind": "adapter",
            "rank": 4,
            "modules": 4,
        }
        for folder in folders
    ]
    rows = command("experts", "check", *folders, "--base", world.base).lines[1:]
    assert [row.split()[:4] for row in rows] == [["one", "ok", "adapter", "4"], ["two", "ok", "adapter", "4"]]


def test_a_full_model_is_an_expert_too(command: Command, world: World, tmp_path: Path) -> None:
    other = make_base(tmp_path / "tuned", seed=5)
    [checks] = command("experts", "check", other, "--base", world.base, "--json").json
    assert (checks["name"], checks["kind"], checks["rank"]) == ("tuned", "full model", None)


def test_an_expert_that_is_not_whole_is_refused(command: Command, world: World, tmp_path: Path) -> None:
    broken = make_expert(tmp_path / "broken", world.base, seed=3)
    (broken / "adapter_model.safetensors").unlink()
    outcome = command("experts", "check", world.expert("one"), broken, "--base", world.base)
    assert outcome.code == 2
    assert outcome.error == f"error: expert 'broken': {broken} has no adapter_model.safetensors: copy it again"


def test_trained_experts_fit_their_base_and_are_not_trained_twice(
    command: Command, world: World, tmp_path: Path
) -> None:
    files = [training_file(world, tmp_path, name) for name in ("first", "second")]
    outcome = command("experts", "train", *files, "--json")
    folders = [tmp_path / "trained" / name for name in ("first", "second")]
    written = [(folder / "adapter_model.safetensors").stat().st_mtime_ns for folder in folders]
    provenance = json.loads((folders[0] / "provenance.json").read_text())
    assert outcome.code == 0
    assert outcome.json[0] == {
        "name": "first",
        "folder": str(folders[0]),
        "steps": 3,
        "final_loss": provenance["final_loss"],
        "base": {"name": str(world.base), "sha256": provenance["base_sha256"]},
        "data": [{"name": "letters", "sha256": provenance["data"][0]["sha256"], "share": 3}],
    }
    assert [line for line in outcome.err.splitlines() if line.startswith("second: 3/3 loss ")]
    assert command("experts", "check", *folders, "--base", world.base).code == 0
    again = command("experts", "train", *files)
    assert [row.split()[:2] for row in again.lines[1:]] == [["first", "3"], ["second", "3"]]
    assert [(folder / "adapter_model.safetensors").stat().st_mtime_ns for folder in folders] == written
    listing = command("experts", "list", tmp_path / "trained")
    assert "letters 100%" in listing.lines[1]


def test_an_expert_is_trained_after_the_one_that_it_starts_from(command: Command, world: World, tmp_path: Path) -> None:
    later = training_file(world, tmp_path, "later", start="trained/sooner")
    sooner = training_file(world, tmp_path, "sooner")
    assert [made["name"] for made in command("experts", "train", later, sooner, "--json").json] == ["later", "sooner"]
    provenance = json.loads((tmp_path / "trained" / "later" / "provenance.json").read_text())
    assert provenance["start"]["name"] == "sooner"


def test_nothing_is_trained_if_one_of_the_files_is_wrong(command: Command, world: World, tmp_path: Path) -> None:
    good = training_file(world, tmp_path, "good")
    wrong = training_file(world, tmp_path, "wrong", training={"targets": ["q_prj"], "steps": 1})
    outcome = command("experts", "train", good, wrong)
    assert outcome.code == 2
    assert outcome.error == (
        f"error: {wrong}: field 'training.targets': the base has no module 'q_prj': choose of {CHOICES}"
    )
    assert not (tmp_path / "trained").exists()


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"training": {"stps": 1}}, "unknown field 'training.stps': did you mean 'steps'?"),
        ({"data": []}, "field 'data': "),
        ({"data": [{"path": "none.json"}]}, "none.json: there is no such file: check the path"),
        ({"template": "Answer:"}, "template 'Answer:' has no {question}: write it where the text belongs"),
    ],
)
def test_a_wrong_training_file_is_refused(
    command: Command, world: World, tmp_path: Path, fields: dict[str, Any], problem: str
) -> None:
    outcome = command("experts", "train", training_file(world, tmp_path, **fields))
    assert outcome.code == 2
    assert problem in outcome.error
    assert str(tmp_path) in outcome.error
