"""Objectives that can't be scored, found before a run starts."""

from typing import Any

import pytest

from tests.bad_input.broken_world import BreakableWorld, Refused


def ask(world: BreakableWorld, **task: Any) -> None:
    world.edit_config(objective={"tasks": [{"data": "data.json", **task}]})


def test_a_score_function_whose_module_is_not_there(world: BreakableWorld, refused: Refused) -> None:
    ask(world, kind="function", score="scoring:brevity")
    assert refused("run", world.config) == (
        "task 'data': score 'scoring:brevity': there is no module scoring: put scoring.py beside the config file"
    )


def test_a_score_function_that_is_not_in_its_module(world: BreakableWorld, refused: Refused) -> None:
    (world.folder / "scoring.py").write_text("def length(example, completion):\n    return 0\n")
    ask(world, kind="function", score="scoring:brevity")
    assert refused("run", world.config) == (
        "task 'data': score 'scoring:brevity': scoring has no function 'brevity': define it or name another"
    )


@pytest.mark.parametrize("name", ["scoring.py", "../scoring:brevity", "scoring:brevity()"])
def test_a_score_that_names_no_function(world: BreakableWorld, refused: Refused, name: str) -> None:
    ask(world, kind="function", score=name)
    message = refused("run", world.config)
    assert message.startswith(f"{world.config}: field 'objective.tasks.0.score'")
    assert f"{name!r} is not module:function: write for instance scoring:rhymes" in message


def test_a_harmonic_mean_of_scores_below_0(world: BreakableWorld, refused: Refused) -> None:
    task = {"kind": "conciseness", "data": "data.json"}
    world.edit_config(objective={"tasks": [task], "aggregate": "harmonic_mean"})
    message = refused("run", world.config)
    assert "'harmonic_mean' needs scores of at least 0, but those of task 'data' (kind conciseness)" in message


def test_a_countdown_without_numbers(world: BreakableWorld, refused: Refused) -> None:
    ask(world, kind="countdown")
    message = refused("run", world.config)
    assert message.startswith(f"{world.data}: dev[0].numbers: None is no list of whole numbers: write [44, 19, 35]")
