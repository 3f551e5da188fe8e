"""`swarm export`."""

import json
import re
import shutil
from pathlib import Path

import torch
import yaml
from peft import PeftModel
from transformers import AutoModelForCausalLM

from infra.records.values import RunStatus
from tests.cli.command_line import Command, RecordRun, World
from tests.tiny import make_expert

TOKENS = torch.tensor([[20, 30, 40, 50]])


def logits(model: torch.nn.Module) -> torch.Tensor:
    with torch.inference_mode():
        result: torch.Tensor = model(TOKENS).logits
    return result


def load(folder: Path) -> torch.nn.Module:
    model: torch.nn.Module = AutoModelForCausalLM.from_pretrained(folder, local_files_only=True)
    return model


def test_the_adapter_and_the_merged_model_are_the_same_model(
    command: Command, record_run: RecordRun, world: World, tmp_path: Path
) -> None:
    record_run(status=RunStatus.FINISHED)
    adapter = command("export", "demo", tmp_path / "adapter", "--json").json
    merged = command("export", "demo", tmp_path / "merged", "--merged", "--json").json
    adapted = logits(PeftModel.from_pretrained(load(world.base), tmp_path / "adapter"))
    assert [adapter["kind"], merged["kind"]] == ["adapter", "merged model"]
    assert torch.allclose(adapted, logits(load(tmp_path / "merged")), atol=1e-4)
    assert not torch.allclose(adapted, logits(load(world.base)), atol=1e-2)


def test_the_result_says_what_was_exported(command: Command, record_run: RecordRun, tmp_path: Path) -> None:
    best = record_run(status=RunStatus.FINISHED)[-1].global_best
    assert best is not None
    outcome = command("export", "demo", tmp_path / "out", "--json")
    sha256 = outcome.json.pop("sha256")
    assert outcome.err == ""
    assert len(sha256) == 64
    assert {key: outcome.json[key] for key in ("run", "folder", "kind", "names", "dev", "finished")} == {
        "run": "demo",
        "folder": str(tmp_path / "out"),
        "kind": "adapter",
        "names": ["one", "two", "three"],
        "dev": best.utility,
        "finished": True,
    }
    assert outcome.json["recipe"]["coefficients"] == best.coefficients.tolist()
    assert sha256 in (tmp_path / "out" / "README.md").read_text()


def test_the_model_card_has_scores_recipe_lineage_and_how_to_load(
    command: Command, record_run: RecordRun, world: World, tmp_path: Path
) -> None:
    best = record_run(status=RunStatus.FINISHED)[-1].global_best
    assert best is not None
    output = command("export", "demo", tmp_path / "out")
    card = (tmp_path / "out" / "README.md").read_text()
    header = yaml.safe_load(card.split("---\n")[1])
    rank = json.loads((tmp_path / "out" / "adapter_config.json").read_text())["r"]
    assert output.lines == [f"adapter: {tmp_path / 'out'}", f"model card: {tmp_path / 'out' / 'README.md'}"]
    assert header == {
        "base_model": str(world.base),
        "library_name": "peft",
        "pipeline_tag": "text-generation",
        "tags": ["model-swarms", "merge", "lora"],
    }
    assert "| best expert before (two) | 1.0000 | 0.5000 | 0.2500 – 0.7000 |" in card
    assert f"| this | {best.utility:.4f} | 0.7500 | 0.5000 – 0.9000 |" in card
    assert "it is better than the best expert before by 0.2500 (paired bootstrap, p = 0.0123)" in card
    assert f"| two | {best.coefficients[1]:+.6f} | `" in card
    assert "model = PeftModel.from_pretrained(base, 'out')" in card
    assert f"(rank {rank})" in card
    assert f"vllm serve {world.base} --enable-lora --max-lora-rank 8 --lora-modules out=./out" in card
    assert "mean of letters (multiple_choice)" in card


def test_an_unfinished_run_exports_its_best_so_far_and_says_so(
    command: Command, record_run: RecordRun, tmp_path: Path
) -> None:
    record_run(status=RunStatus.STOPPED)
    outcome = command("export", "demo", tmp_path / "out")
    card = (tmp_path / "out" / "README.md").read_text()
    assert outcome.code == 0
    assert outcome.err == "run demo is not finished: this is its best of iteration 2, not tested\n"
    assert "The search is not finished: this is its global best as of iteration 2" in card


def test_the_base_model_may_be_a_part_of_the_recipe(command: Command, record_run: RecordRun, tmp_path: Path) -> None:
    record_run(include_base="true", space="product")
    assert command("export", "demo", tmp_path / "out", "--json").json["names"] == ["one", "two", "three", "base"]
    assert "the base model itself" in (tmp_path / "out" / "README.md").read_text()


def test_a_folder_that_is_not_empty_is_refused(command: Command, record_run: RecordRun, tmp_path: Path) -> None:
    record_run()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("keep me")
    outcome = command("export", "demo", tmp_path / "full")
    message = f"error: {tmp_path}/full: is not empty: name a new folder or empty it"
    assert (outcome.code, outcome.error) == (2, message)
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["mine.txt"]


def test_a_file_in_the_place_of_the_folder_is_refused(command: Command, record_run: RecordRun, tmp_path: Path) -> None:
    record_run()
    (tmp_path / "file").write_text("keep me")
    assert command("export", "demo", tmp_path / "file").error == f"error: {tmp_path}/file: is a file: name a new folder"


def test_a_run_without_an_iteration_has_nothing_to_export(
    command: Command, record_run: RecordRun, tmp_path: Path
) -> None:
    record_run(iterations=-1)
    outcome = command("export", "demo", tmp_path / "out")
    assert outcome.code == 2
    assert outcome.error == (
        "error: run 'demo' has no global best yet: wait for its first iteration, or: swarm resume demo"
    )


def test_an_expert_that_changed_since_the_run_is_refused(
    command: Command, record_run: RecordRun, world: World, tmp_path: Path
) -> None:
    other = tmp_path / "two"
    shutil.copytree(world.expert("two"), other)
    record_run(experts=f"[{world.expert('one')}, {other}]")
    make_expert(other, world.base, seed=99)
    outcome = command("export", "demo", tmp_path / "out")
    assert outcome.code == 2
    assert outcome.error.startswith("error: run 'demo': expert two was ")
    assert outcome.error.endswith(": put back what it was")
    assert not (tmp_path / "out").exists()


def test_texts_in_the_model_card_do_nothing_but_be_shown(
    command: Command, record_run: RecordRun, tmp_path: Path
) -> None:
    hostile = "<script>alert(1)</script> | [x](javascript:y) `z` \n# no heading\n---\n```"
    record_run(**{"objective.tasks.0.name": json.dumps(hostile)})
    assert command("export", "demo", tmp_path / "out").code == 0
    card = (tmp_path / "out" / "README.md").read_text()
    assert not re.search(r"(?<!\\)<script|(?<!\\)\]\(javascript|^# no heading", card, re.MULTILINE)
    assert [line for line in card.splitlines() if line.startswith("# ")] == ["# demo"]
