"""Kinds of objectives that installed packages add, in a process of their own: kinds are read once a process."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from data.kinds.installed import KINDS_GROUP
from tests.installed_packages import make_package

POEMS = '''
from typing import Literal

from data.kinds.exact_match import ExactMatch


class Poem(ExactMatch):
    """Poems that end on the right word."""

    kind: Literal["poem"]
'''

TAKEN = POEMS.replace('Literal["poem"]', 'Literal["countdown"]')

PROGRAM = """
import json, sys
from pydantic import TypeAdapter, ValidationError
from data.kinds.registry import AnyTask, kind_extensions
from infra.configs.errors import describe
from data.objective import ObjectiveConfig

schema = TypeAdapter(AnyTask).json_schema()
try:
    value = ObjectiveConfig.model_validate({"tasks": [{"kind": sys.argv[1], "data": "set.json"}]})
    answer = type(value.tasks[0]).__name__
except ValidationError as error:
    answer = describe(error, ObjectiveConfig)
kinds = [*schema["discriminator"]["mapping"]]
print(json.dumps({"kinds": kinds, "answer": answer, "extensions": [vars(each) for each in kind_extensions()]}))
"""

BUILT_IN = [
    *("abstain_qa", "conciseness", "countdown", "exact_match", "function", "judge", "judged_match", "likelihood"),
    *("lm_eval", "multiple_choice", "reward_model", "toxicity"),
]


def ask_for(kind: str, site: Path) -> dict:
    folders = os.pathsep.join([str(Path.cwd()), str(site)])
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM, kind],
        env={**os.environ, "PYTHONPATH": folders},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return json.loads(done.stdout)


def test_without_entry_points_there_are_the_built_in_kinds_only(tmp_path: Path) -> None:
    answer = ask_for("poem", tmp_path)
    assert sorted(answer["kinds"]) == BUILT_IN
    assert answer["extensions"] == []
    assert answer["answer"].startswith("field 'tasks.0.kind': there is no 'poem', only abstain_qa, ")
    assert answer["answer"].endswith(": remove it or choose another")


def test_an_installed_kind_is_read_and_in_the_schema(tmp_path: Path) -> None:
    make_package(tmp_path, "ep_poems", {KINDS_GROUP: {"poem": "ep_poems:Poem"}}, POEMS)
    answer = ask_for("poem", tmp_path)
    assert sorted(answer["kinds"]) == sorted([*BUILT_IN, "poem"])
    assert answer["answer"] == "Poem"
    assert answer["extensions"] == [
        {
            "group": KINDS_GROUP,
            "name": "poem",
            "value": "ep_poems:Poem",
            "distribution": "ep_poems 1.0",
            "problem": None,
        }
    ]


def test_a_broken_one_is_named_where_its_kind_is_asked_for_and_nowhere_else(tmp_path: Path) -> None:
    make_package(tmp_path, "ep_poems", {KINDS_GROUP: {"poem": "ep_poems:Poem"}}, POEMS)
    make_package(tmp_path, "ep_bad", {KINDS_GROUP: {"sonnet": "ep_bad:Sonnet"}}, "import nobody_has_this")
    line = (
        "entry point sonnet = ep_bad:Sonnet of ep_bad 1.0 can't be loaded "
        "(ModuleNotFoundError: No module named 'nobody_has_this')"
    )
    unknown = ask_for("sonnet", tmp_path)
    assert unknown["answer"].startswith("field 'tasks.0.kind': there is no 'sonnet', only abstain_qa, ")
    assert unknown["answer"].endswith(f", poem: {line}")
    assert [entry["problem"] for entry in unknown["extensions"]] == [None, line]
    assert ask_for("exact_match", tmp_path)["answer"] == "ExactMatch"
    assert ask_for("poem", tmp_path)["answer"] == "Poem"


@pytest.mark.parametrize(
    ("code", "value", "problem"),
    [
        (TAKEN, "ep_odd:Poem", "has the kind 'countdown', which another has already"),
        ("Poem = 3", "ep_odd:Poem", "is no subclass of data.kinds.base.TaskConfig"),
        ("from data.kinds.rated import RatedTask as Poem", "ep_odd:Poem", "leaves out "),
        (POEMS.replace('Literal["poem"]', "str"), "ep_odd:Poem", ": class Poem has no field kind of the type "),
    ],
)
def test_what_is_no_kind_of_its_own_is_listed_with_the_reason(
    tmp_path: Path, code: str, value: str, problem: str
) -> None:
    make_package(tmp_path, "ep_odd", {KINDS_GROUP: {"poem": value}}, code)
    answer = ask_for("countdown", tmp_path)
    assert answer["answer"] == "Countdown"
    assert sorted(answer["kinds"]) == BUILT_IN
    assert problem in answer["extensions"][0]["problem"]


def test_of_two_kinds_of_one_name_the_first_is_taken(tmp_path: Path) -> None:
    make_package(tmp_path, "ep_one", {KINDS_GROUP: {"a": "ep_one:Poem"}}, POEMS)
    make_package(tmp_path, "ep_two", {KINDS_GROUP: {"b": "ep_two:Poem"}}, POEMS)
    problems = [entry["problem"] for entry in ask_for("poem", tmp_path)["extensions"]]
    assert problems == [
        None,
        "entry point b = ep_two:Poem of ep_two 1.0 has the kind 'poem', which another has already",
    ]
