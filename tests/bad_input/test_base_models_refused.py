"""Base models that are missing, half downloaded or damaged."""

import json

import pytest

from tests.bad_input.broken_world import BreakableWorld, Refused

HALF = "base model is damaged or half downloaded: "


def test_a_name_that_means_nothing(world: BreakableWorld, refused: Refused) -> None:
    assert refused("run", world.config, "--set", "base_model=smolm2") == (
        "base model 'smolm2' is neither a folder, nor a hub id (owner/name), nor 'smollm2-135m-instruct': "
        "check the spelling"
    )


def test_a_shard_that_the_index_names_is_missing(world: BreakableWorld, refused: Refused) -> None:
    index = world.base / "model.safetensors.index.json"
    shards = ["model.safetensors", "model-00002-of-00002.safetensors"]
    index.write_text(json.dumps({"weight_map": dict(zip("ab", shards, strict=True))}))
    assert refused("run", world.config) == (
        f"{HALF}{index} names {shards[1]}, which is missing: copy the whole folder again"
    )


@pytest.mark.parametrize("content", ["{}", '{"weight_map": []}', '{"weight_map": {"a": [1]}}', "{"])
def test_an_index_that_is_damaged(world: BreakableWorld, refused: Refused, content: str) -> None:
    index = world.base / "model.safetensors.index.json"
    index.write_text(content)
    message = refused("run", world.config)
    assert message.startswith(f"{HALF}{index} is no index of safetensors files (")
    assert message.endswith("): copy it again")


def test_an_index_that_leads_out_of_the_folder(world: BreakableWorld, refused: Refused) -> None:
    index = world.base / "model.safetensors.index.json"
    index.write_text('{"weight_map": {"a": "../experts/one/adapter_model.safetensors"}}')
    assert refused("run", world.config) == (
        f"{HALF}{index} names '../experts/one/adapter_model.safetensors': only *.safetensors files beside it are loaded"
    )


def test_weights_that_are_truncated(world: BreakableWorld, refused: Refused) -> None:
    weights = world.base / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    message = refused("run", world.config)
    assert message.startswith(f"{HALF}{weights} is truncated or corrupt (")
    assert message.endswith("): copy it again")


@pytest.mark.parametrize("name", ["model.safetensors.incomplete", "pytorch_model.bin"])
def test_no_safetensors_at_all(world: BreakableWorld, refused: Refused, name: str) -> None:
    (world.base / "model.safetensors").rename(world.base / name)
    assert refused("run", world.config) == (
        f"{HALF}{world.base} has no *.safetensors: other formats are never loaded: save it as safetensors"
    )


def test_no_tokenizer(world: BreakableWorld, refused: Refused) -> None:
    (world.base / "tokenizer.json").unlink()
    assert refused("run", world.config) == (
        f"base model {world.base} has no tokenizer (tokenizer.json, tokenizer.model, vocab.json): download it again"
    )


@pytest.mark.parametrize("file", ["config.json", "tokenizer.json"])
def test_a_file_that_is_half_there(world: BreakableWorld, refused: Refused, file: str) -> None:
    path = world.base / file
    path.write_text(path.read_text()[:20])
    message = refused("run", world.config)
    assert message.startswith(f"base model file {path} is not valid JSON (")
    assert message.endswith("): download it again")


def test_no_configuration(world: BreakableWorld, refused: Refused) -> None:
    (world.base / "config.json").unlink()
    assert refused("run", world.config) == (
        f"base model {world.base} has no config.json: it is not a model folder or is half downloaded"
    )


def test_a_configuration_that_is_not_a_models(world: BreakableWorld, refused: Refused) -> None:
    path = world.base / "config.json"
    path.write_text("{}")
    assert refused("run", world.config) == (
        f"base model file {path} has no model_type: it is not a model's: correct it"
    )


def test_a_chat_prompt_for_a_model_without_a_chat_template(world: BreakableWorld, refused: Refused) -> None:
    (world.base / "chat_template.jinja").unlink()
    assert refused("run", world.config, "--set", "objective.tasks.0.prompt=chat") == (
        f"base model {str(world.base)!r} has no chat template: set prompt: raw in the objective's tasks"
    )
