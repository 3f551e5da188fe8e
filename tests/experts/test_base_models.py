import json
from pathlib import Path

import huggingface_hub.constants
import pytest
from tiny import make_base

from experts.base_models import chat_template, resolve_base_model


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_base(tmp_path_factory.mktemp("models") / "base")


def test_a_folder_is_a_base_model(base: Path, tmp_path: Path) -> None:
    model = resolve_base_model(str(base), tmp_path)
    assert (model.name, model.folder) == (str(base), base.resolve())


def test_the_hash_is_of_the_content_and_not_of_the_place(base: Path, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    for file in base.iterdir():
        (moved / file.name).write_bytes(file.read_bytes())
    here, there = (resolve_base_model(str(folder), tmp_path).sha256 for folder in (base, moved))
    assert here == there
    (moved / "config.json").write_text(json.dumps({**json.loads((moved / "config.json").read_text()), "rope_x": 1}))
    assert resolve_base_model(str(moved), tmp_path).sha256 != here


def test_a_hub_id_is_found_in_the_hubs_cache(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = tmp_path / "hub" / "models--owner--tiny"
    snapshot = stored / "snapshots" / ("a" * 40)
    snapshot.mkdir(parents=True)
    (stored / "refs").mkdir()
    (stored / "refs" / "main").write_text("a" * 40)
    for file in base.iterdir():
        (snapshot / file.name).write_bytes(file.read_bytes())
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    model = resolve_base_model("owner/tiny", tmp_path / "cache")
    assert model.name == "owner/tiny"
    assert model.sha256 == resolve_base_model(str(base), tmp_path).sha256


def test_the_chat_template_is_the_models_own(base: Path, tmp_path: Path) -> None:
    render = chat_template(resolve_base_model(str(base), tmp_path))
    assert render([{"role": "user", "content": "hello"}]) == "[user]hello[assistant]"
