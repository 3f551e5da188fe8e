"""Which of PEFT's fields an adapter may have, and patterns that cost no time."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import peft
import pytest

from experts import adapter_config
from experts.adapter_config import LoraConfig, read_lora_config
from swarm.errors import InputError

PLAIN = {"peft_type": "LORA", "r": 4, "lora_alpha": 8}
DEFAULTS = {
    field.name: field.default_factory() if callable(field.default_factory) else field.default
    for field in dataclasses.fields(peft.LoraConfig)
}


def read(folder: Path, **fields: Any) -> LoraConfig:
    (folder / adapter_config.CONFIG).write_text(json.dumps({**PLAIN, **fields}))
    return read_lora_config(folder)


def test_every_field_of_the_installed_peft_is_in_one_class() -> None:
    classes = [set(LoraConfig.model_fields), adapter_config.WITHOUT_EFFECT, adapter_config.REFUSED_IF_SET]
    assert sum(map(len, classes)) == len(set().union(*classes)), "a field is in two classes"
    unknown = DEFAULTS.keys() - set().union(*classes)
    assert not unknown, f"PEFT has new fields: say in experts/adapter_config.py what they do: {sorted(unknown)}"


def test_what_peft_itself_writes_is_read(tmp_path: Path) -> None:
    peft.LoraConfig(r=4, lora_alpha=8, target_modules=["q_proj"], task_type="CAUSAL_LM").save_pretrained(tmp_path)
    assert read_lora_config(tmp_path).r == 4


@pytest.mark.parametrize("name", sorted(adapter_config.REFUSED_IF_SET))
@pytest.mark.parametrize("value", [True, 1, "text", [1], {"a": 1}])
def test_a_field_that_changes_what_is_computed_is_refused_by_its_name(tmp_path: Path, name: str, value: Any) -> None:
    with pytest.raises(InputError, match=rf"{name} is .*, which changes what the adapter computes: only plain LoRA"):
        read(tmp_path, **{name: value})


def test_a_field_of_a_newer_peft_is_refused_if_it_is_set(tmp_path: Path) -> None:
    for empty in (None, False, "", [], {}):
        assert read(tmp_path, use_tomorrow=empty).r == 4
    for value in (True, 0, 3, "x", [0], {"a": None}):
        with pytest.raises(InputError, match=r"use_tomorrow is .*, which is not known: only plain LoRA"):
            read(tmp_path, use_tomorrow=value)


@pytest.mark.parametrize("name", sorted(adapter_config.REFUSED_IF_SET | adapter_config.WITHOUT_EFFECT))
def test_empty_fields_are_read(tmp_path: Path, name: str) -> None:
    for empty in (None, [], {}):
        assert read(tmp_path, **{name: empty}).r == 4


@pytest.mark.parametrize("name", ["pissa", "pissa_niter_16", "olora", "corda", "loftq", "lora_ga", "tomorrow"])
def test_an_initialisation_that_may_change_the_base_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="init_lora_weights is"):
        read(tmp_path, init_lora_weights=name)


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+b",
        "(a|a)*b",
        "(a|aa)+$b",
        "(.*a){20}b",
        "(a?){30}a{30}b",
        "(a|a)" * 100 + "b",
        "((a*)*)*b",
        "(.*)*.*.*.*.*.*.*.*b",
        "(?:(?:a{0,50}){0,10})+b",
    ],
)
def test_no_pattern_takes_long(tmp_path: Path, pattern: str) -> None:
    """With Python's own `re` each of these takes longer than this suite's limit."""
    config = read(tmp_path, rank_pattern={pattern: 2}, alpha_pattern={pattern: 3})
    module = "model.layers.0." + "a" * 200 + "c"
    assert (config.rank(module), config.scaling(module)) == (4, 2)


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("(?!x)q_proj", "invalid perl operator"),
        (r"(q)\1", "invalid escape sequence"),
        ("(", "missing"),
        ("(" * 900, "("),
        ("q{1,1001}", "invalid repetition size"),
        ("((((q{100}){100}){100}){100})", "invalid repetition size"),
        ("q{,3}", "which are not read"),
        ("[[:alpha:]]", "which are not read"),
        ("x" * 1001, "1001 characters"),
        ("q_proj\x1b[31m", "characters that no module's name has"),
        ("q_proj\u202e", "characters that no module's name has"),
    ],
)
def test_patterns_that_are_not_read_are_refused_in_one_line(tmp_path: Path, pattern: str, reason: str) -> None:
    for field in ("rank_pattern", "alpha_pattern"):
        with pytest.raises(InputError) as error:
            read(tmp_path, **{field: {pattern: 2}})
        message = str(error.value)
        assert field in message
        assert reason in message
        assert message.isprintable()
        assert len(message) < 500 + len(str(tmp_path))


@pytest.mark.parametrize(
    ("pattern", "names_it"),
    [
        ("q_proj", True),
        ("self_attn.q_proj", True),
        ("^model.layers.0.self_attn.q_proj", True),
        (r".*\.layers\.(0|1)\..*", True),
        (r"model\.layers\.\d+\.self_attn\.[qv]_proj", True),
        ("proj", False),
        ("q_pro", False),
        ("v_proj|k_proj", False),
    ],
)
def test_patterns_name_the_modules_that_peft_means(tmp_path: Path, pattern: str, names_it: bool) -> None:
    from peft.utils.other import get_pattern_key

    module = "model.layers.0.self_attn.q_proj"
    assert (get_pattern_key([pattern], module) == pattern and pattern != module) is names_it
    assert read(tmp_path, rank_pattern={pattern: 2}).rank(module) == (2 if names_it else 4)
