import json
import shutil
from pathlib import Path

import huggingface_hub.constants
import pytest
from safetensors.torch import load_file, save_file

from experts.base_models import chat_template, resolve_base_model


def test_a_folder_is_a_base_model(base_folder: Path, tmp_path: Path) -> None:
    model = resolve_base_model(str(base_folder), tmp_path)
    assert (model.name, model.folder) == (str(base_folder), base_folder.resolve())


@pytest.fixture
def copied(base_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(base_folder, tmp_path / "copied"))


def hashes(folder: Path) -> tuple[str, str]:
    model = resolve_base_model(str(folder), folder.parent / "cache")
    return model.sha256, model.description_sha256()


def rewrite(path: Path, **changed: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changed}))


def test_the_hashes_are_of_the_content_and_not_of_the_place(base_folder: Path, copied: Path) -> None:
    assert hashes(copied) == hashes(base_folder)


def test_weights_in_other_files_are_the_same_base_model(base_folder: Path, copied: Path) -> None:
    tensors = load_file(copied / "model.safetensors")
    (copied / "model.safetensors").unlink()
    for number, name in enumerate(sorted(tensors)):
        save_file({name: tensors[name]}, copied / f"part-{number}.safetensors", metadata={"by": "somebody"})
    assert hashes(copied) == hashes(base_folder)


def test_another_weight_is_another_base_model(base_folder: Path, copied: Path) -> None:
    tensors = load_file(copied / "model.safetensors")
    tensors["model.norm.weight"][0] += 1
    save_file(tensors, copied / "model.safetensors")
    assert hashes(copied)[0] != hashes(base_folder)[0]
    assert hashes(copied)[1] == hashes(base_folder)[1]


@pytest.mark.parametrize("file", ["config.json", "generation_config.json"])
def test_the_release_of_the_library_that_wrote_a_model_is_no_part_of_it(
    base_folder: Path, copied: Path, file: str
) -> None:
    rewrite(copied / file, transformers_version="99.0.0")
    assert hashes(copied) == hashes(base_folder)


@pytest.mark.parametrize("file", ["config.json", "tokenizer_config.json", "tokenizer.json"])
def test_another_description_changes_what_answers_depend_on_and_not_the_base_model(
    base_folder: Path, copied: Path, file: str
) -> None:
    rewrite(copied / file, padding={"rope_x": 1})
    assert hashes(copied)[0] == hashes(base_folder)[0]
    assert hashes(copied)[1] != hashes(base_folder)[1]


def test_a_hub_id_is_found_in_the_hubs_cache(
    base_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = tmp_path / "hub" / "models--owner--tiny"
    snapshot = stored / "snapshots" / ("a" * 40)
    snapshot.mkdir(parents=True)
    (stored / "refs").mkdir()
    (stored / "refs" / "main").write_text("a" * 40)
    for file in base_folder.iterdir():
        (snapshot / file.name).write_bytes(file.read_bytes())
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    model = resolve_base_model("owner/tiny", tmp_path / "cache")
    assert model.name == "owner/tiny"
    assert model.sha256 == resolve_base_model(str(base_folder), tmp_path).sha256


def test_the_chat_template_is_the_models_own(base_folder: Path, tmp_path: Path) -> None:
    render = chat_template(resolve_base_model(str(base_folder), tmp_path))
    assert render([{"role": "user", "content": "hello"}]) == "[user]hello[assistant]"
