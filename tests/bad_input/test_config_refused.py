"""A run's configuration that is wrong: file, YAML, fields, values, `--set`."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.bad_input.broken_world import BreakableWorld, Refused


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("serch.particles=3", "unknown field 'serch': did you mean 'search'?"),
        ("search.particels=3", "unknown field 'search.particels': did you mean 'particles'?"),
        ("engine.devise=cpu", "unknown field 'engine.devise': did you mean 'device'?"),
        ("objective.tasks.0.mach=word", "unknown field 'objective.tasks.0.mach': did you mean 'match'?"),
        ("zzz=1", "unknown field 'zzz': remove it or choose another"),
    ],
)
def test_an_unknown_field_is_named_with_the_nearest_that_there_is(
    world: BreakableWorld, refused: Refused, override: str, message: str
) -> None:
    assert refused("run", world.config, "--set", override) == f"{world.config}: {message}"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("search.patience=0", "field 'search.patience': input should be greater than or equal to 1 (it is 0)"),
        ("search.particles=1", "field 'search.particles': input should be greater than or equal to 2 (it is 1)"),
        ("search.social=-1", "field 'search.social': input should be greater than or equal to 0 (it is -1)"),
        ("search.inertia=.nan", "field 'search.inertia': input should be less than or equal to 100 (it is nan)"),
        (
            "search.step_length=.inf",
            "field 'search.step_length': input should be less than or equal to 100 (it is inf)",
        ),
        (
            "search.min_step_length=5",
            "field 'search.min_step_length': must be at least 0 and at most step_length (0.8), not 5.0",
        ),
        ("seed=-1", "field 'seed': input should be greater than or equal to 0 (it is -1)"),
        (f"seed={2**63}", f"field 'seed': input should be less than or equal to {2**63 - 1} (it is {2**63})"),
        ("ensemble=-1", "field 'ensemble': input should be greater than or equal to 0 (it is -1)"),
        ("engine.group_size=0", "field 'engine.group_size': input should be greater than or equal to 1 (it is 0)"),
        ("space=weights", "field 'space': input should be 'factors' or 'product' (it is 'weights')"),
        (
            "algorithm=model-swarm",
            "field 'algorithm': there is no 'model-swarm', only model-swarms, heterogeneous-swarms, "
            "evolution-strategies: did you mean 'model-swarms'?",
        ),
        ("objective.tasks.0.weight=0", "field 'objective.tasks.0.weight': input should be greater than 0 (it is 0)"),
    ],
)
def test_a_value_out_of_range_is_named_with_its_field_and_the_range(
    world: BreakableWorld, refused: Refused, override: str, message: str
) -> None:
    assert refused("run", world.config, "--set", override) == f"{world.config}: {message}"


def test_a_value_of_another_type_is_shown(world: BreakableWorld, refused: Refused) -> None:
    assert refused("run", world.config, "--set", "search.particles=many") == (
        f"{world.config}: field 'search.particles': input should be a valid integer, "
        "unable to parse string as an integer (it is 'many')"
    )


@pytest.mark.parametrize("value", ["abc", "null"])
def test_a_wrong_type_is_no_crash_where_reference_defaults_depend_on_it(
    world: BreakableWorld, refused: Refused, value: str
) -> None:
    message = refused("run", world.config, "--set", "search.reference=true", "--set", f"search.patience={value}")
    assert message.startswith(f"{world.config}: field 'search.patience': input should be a valid integer")


def test_a_search_whose_weights_are_all_zero(world: BreakableWorld, refused: Refused) -> None:
    world.edit_config(search={"inertia": 0, "cognitive": 0, "social": 0, "repulsion": 0})
    assert refused("run", world.config) == (
        f"{world.config}: field 'search.inertia': inertia, cognitive, social and repulsion are all 0: "
        "give one a positive value"
    )


def test_the_other_things_that_are_wrong_are_counted(world: BreakableWorld, refused: Refused) -> None:
    world.edit_config(search={"particles": 1, "patience": 0}, seed="x")
    assert refused("run", world.config).endswith(" (and 2 more)")


def test_a_kind_of_task_that_there_is_not(world: BreakableWorld, refused: Refused) -> None:
    assert refused("run", world.config, "--set", "objective.tasks.0.kind=exakt_match") == (
        f"{world.config}: field 'objective.tasks.0.kind': there is no 'exakt_match', only abstain_qa, conciseness, "
        "countdown, exact_match, function, judge, judged_match, likelihood, lm_eval, multiple_choice, reward_model, "
        "toxicity: did you mean 'exact_match'?"
    )


def test_a_task_without_a_kind(world: BreakableWorld, refused: Refused) -> None:
    world.edit_config(objective={"tasks": [{"data": "data.json"}]})
    assert refused("run", world.config) == f"{world.config}: field 'objective.tasks.0.kind' is missing: add it"


def test_the_base_as_an_expert_does_not_go_with_reference(world: BreakableWorld, refused: Refused) -> None:
    assert refused("run", world.config, "--set", "search.reference=true", "--set", "include_base=true") == (
        f"{world.config}: field 'include_base': can't be true with search.reference, "
        "as the public code has no such thing: turn one off"
    )


@pytest.mark.parametrize("name", ["../x", "/etc", ".swarm", "a/b", "", "a" * 65])
def test_a_name_that_leads_out_of_the_runs_folder(world: BreakableWorld, refused: Refused, name: str) -> None:
    world.edit_config(name=name)
    assert refused("run", world.config) == (
        f"{world.config}: field 'name': the run name {name!r} is not allowed: use 1 to 64 letters, digits, "
        "'-' and '_', beginning with a letter or a digit"
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"name: [\n x: 1", "is not valid YAML (line 2, column 6: expected ',' or ']', but got '<stream end>')"),
        (
            b'name: !!python/object/apply:os.system ["touch broken"]',
            "is not valid YAML (line 1, column 7: could not determine a constructor for the tag "
            "'tag:yaml.org,2002:python/object/apply:os.system')",
        ),
        (b"name: a\nseed: 1\nname: b\n", "is not valid YAML (line 3, column 1: the key 'name' stands twice)"),
        (b"search:\n  patience: 1\n  patience: 2\n", "is not valid YAML (line 3, column 3: the key 'patience' stands"),
        (b"seed: 2020-13-45\n", "is not valid YAML (a value is none of its type (month must be in 1..12))"),
        (b"[" * 5000, "is not valid YAML (line 1, column 101: lists and mappings are nested deeper than 100"),
        (b"\xff\xfe\x00", "byte 0 is not UTF-8: save the file as UTF-8"),
        (b"", "holds no mapping of fields to values"),
        (b"- 1", "holds no mapping of fields to values"),
        (b"seed: 1\n", "field 'name' is missing: add it (and 3 more)"),
    ],
)
def test_a_file_that_is_no_configuration(world: BreakableWorld, refused: Refused, content: bytes, message: str) -> None:
    world.config.write_bytes(content)
    assert refused("run", world.config).startswith(f"{world.config}: {message}")


def test_a_file_that_is_not_there(world: BreakableWorld, refused: Refused) -> None:
    assert refused("run", "rum.yaml") == "rum.yaml: there is no such file: check the path"


def test_a_folder_in_place_of_the_file(refused: Refused, world: BreakableWorld) -> None:
    assert refused("run", world.base) == f"{world.base}: can't be read (Is a directory): give a YAML file"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        *[
            (nonsense, "write it as key=value, e.g. --set search.particles=10")
            for nonsense in ("nonsense", "=3", ".=1", "search..particles=1")
        ],
        *[
            (nowhere, "there is no such field to set: check the dotted key")
            for nowhere in ("objective.tasks.9.kind=a", "objective.tasks.x=1", "name.x=1", "experts.-1=x")
        ],
        (
            "seed=[",
            "the value is not valid YAML (line 1, column 2: expected the node content, but found '<stream end>'): "
            "correct or quote it",
        ),
    ],
)
def test_nonsense_after_set(world: BreakableWorld, refused: Refused, override: str, message: str) -> None:
    assert refused("run", world.config, "--set", override) == f"--set {override!r}: {message}"


@pytest.mark.parametrize(
    ("experts", "message"),
    [
        ([], "field 'experts': has 0 and needs at least 2: add 2 or more"),
        (["experts/one"], "field 'experts': has 1 and needs at least 2: add 1 or more"),
        ("experts/one", "field 'experts': input should be a valid list (it is 'experts/one')"),
        ([None, "experts/one"], "field 'experts.0': input is not a valid path"),
    ],
)
def test_a_list_that_is_no_list_of_two_experts(
    world: BreakableWorld, refused: Refused, experts: Any, message: str
) -> None:
    world.edit_config(experts=experts)
    assert refused("run", world.config).startswith(f"{world.config}: {message}")


def test_the_whole_world_is_accepted_up_to_the_start_of_the_run(
    world: BreakableWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What every other test breaks is whole: without this, all of them could pass for a wrong reason."""
    from flows.searches import prepare
    from infra.configs.yaml_files import load_config
    from infra.searches.model_swarms.config import ModelSwarmsConfig
    from infra.settings import Settings

    inputs = prepare(load_config(Path("run.yaml"), ModelSwarmsConfig), Settings())
    assert inputs.names == ("one", "two", "three")
    assert yaml.safe_load(world.config.read_text())["name"] == "demo"


@pytest.mark.parametrize(
    ("field", "value", "most"),
    [("search.particles", 10**8, 10_000), ("engine.threads", 10**6, 1024), ("search.inertia", 1e9, 100)],
)
def test_a_number_beyond_what_a_search_can_use(
    world: BreakableWorld, refused: Refused, field: str, value: float, most: int
) -> None:
    message = refused("run", world.config, "--set", f"{field}={value:f}" if value == 1e9 else f"{field}={value}")
    assert message.startswith(f"{world.config}: field {field!r}: input should be less than or equal to {most} (it is ")
