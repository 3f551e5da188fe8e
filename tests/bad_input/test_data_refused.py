"""Data files that a run would learn nothing true from."""

import pytest

from tests.bad_input.broken_world import BreakableWorld, Refused


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "the file is empty: write examples into it"),
        ('{"dev": [', "line 1, column 10: not valid JSON (Expecting value): correct it"),
        ("[]", 'holds [], not an object: write {"dev": […], "test": […]}'),
    ],
)
def test_a_file_that_holds_no_examples(world: BreakableWorld, refused: Refused, content: str, message: str) -> None:
    world.data.write_text(content)
    assert refused("run", world.config) == f"{world.data}: {message}"


def test_a_file_that_is_not_there(world: BreakableWorld, refused: Refused) -> None:
    world.data.unlink()
    assert refused("run", world.config) == f"{world.data}: there is no such file: check the path"


def test_an_example_without_an_answer(world: BreakableWorld, refused: Refused) -> None:
    world.edit_data(lambda data: data["dev"][1].pop("answer"))
    assert refused("run", world.config) == f"{world.data}: dev[1].answer: is missing: give the right answer"


def test_the_other_examples_that_are_wrong_are_counted(world: BreakableWorld, refused: Refused) -> None:
    world.edit_data(lambda data: [example.update(answer="") for example in data["test"]])
    assert refused("run", world.config) == (
        f"{world.data}: test[0].answer: '' is empty: give the right answer (3 more: `swarm data check` lists them)"
    )


@pytest.mark.parametrize("split", ["dev", "test"])
def test_a_split_without_examples(world: BreakableWorld, refused: Refused, split: str) -> None:
    world.edit_data(lambda data: data.pop(split))
    assert refused("run", world.config) == (
        f"{world.data}: the {split} split has no examples: add some, the search and the report need both"
    )


def test_a_test_split_that_is_the_dev_split(world: BreakableWorld, refused: Refused) -> None:
    world.edit_data(lambda data: data.update(test=data["dev"]))
    assert refused("run", world.config) == (
        f"{world.data}: 4 of its test questions are dev questions too, so their score would be no test: "
        "use data without overlap or set allow_overlap: true"
    )
