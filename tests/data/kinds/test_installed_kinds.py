"""Kinds of objectives that installed packages add, in a process of their own: kinds are read once a process."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from data.kinds.registry import KIND_PLUGINS
from tests.distributions import install

POEMS = '''
from typing import Literal

from data.kinds.exact_match import ExactMatch


class Poem(ExactMatch):
    """Poems that end on the right word."""

    kind: Literal["poem"]
'''

PROGRAM = """
import json, sys
from dataclasses import asdict
from pydantic import TypeAdapter, ValidationError
from data.kinds.registry import AnyTask, kind_entries
from infra.configs.errors import describe
from data.objective import ObjectiveConfig

schema = TypeAdapter(AnyTask).json_schema()
try:
    value = ObjectiveConfig.model_validate({"tasks": [{"kind": sys.argv[1], "data": "set.json"}]})
    answer = type(value.tasks[0]).__name__
except ValidationError as error:
    answer = describe(error, ObjectiveConfig)
kinds = [*schema["discriminator"]["mapping"]]
print(json.dumps({"kinds": kinds, "answer": answer, "entries": [asdict(entry) for entry in kind_entries()]}))
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


def add(site: Path, name: str, code: str, kind: str = "poem") -> None:
    """Install distribution `name` with a kind, the `Poem` of its module."""
    install(site, name, KIND_PLUGINS.group, {kind: f"{name}:Poem"}, **{name: code})


def entry(name: str, origin: str, problem: str | None = None, remedy: str = "repair, update or uninstall it") -> dict:
    return {"name": name, "origin": origin, "problem": problem, "remedy": remedy if problem else ""}


def test_without_entry_points_there_are_the_built_in_kinds_only(tmp_path: Path) -> None:
    answer = ask_for("poem", tmp_path)
    assert sorted(answer["kinds"]) == BUILT_IN
    assert answer["entries"] == []
    assert answer["answer"].startswith("field 'tasks.0.kind': there is no 'poem', only abstain_qa, ")
    assert answer["answer"].endswith(": remove it or choose another")


def test_an_installed_kind_is_read_and_in_the_schema(tmp_path: Path) -> None:
    add(tmp_path, "poems", POEMS)
    answer = ask_for("poem", tmp_path)
    assert sorted(answer["kinds"]) == sorted([*BUILT_IN, "poem"])
    assert answer["answer"] == "Poem"
    assert answer["entries"] == [entry("poem", "poems 1.0")]


def test_a_broken_one_is_refused_where_its_kind_is_asked_for_and_nowhere_else(tmp_path: Path) -> None:
    add(tmp_path, "poems", POEMS)
    add(tmp_path, "bad", "import nobody_has_this", kind="sonnet")
    problem = "bad:Poem can't be loaded (ModuleNotFoundError: No module named 'nobody_has_this')"
    broken = ask_for("sonnet", tmp_path)
    assert broken["answer"] == (f"field 'tasks.0.kind': sonnet of bad 1.0: {problem}: repair, update or uninstall it")
    assert broken["entries"] == [entry("poem", "poems 1.0"), entry("sonnet", "bad 1.0", problem)]
    assert ask_for("exact_match", tmp_path)["answer"] == "ExactMatch"
    assert ask_for("poem", tmp_path)["answer"] == "Poem"


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        (POEMS.replace('Literal["poem"]', 'Literal["countdown"]'), "has the kind 'countdown', not 'poem'"),
        ("Poem = 3", "is no subclass of data.kinds.base.TaskConfig"),
        ("from data.kinds.rated import RatedTask as Poem", "leaves out "),
        (POEMS.replace('Literal["poem"]', "str"), "has no field kind of the type Literal['NAME']"),
        (
            f"{POEMS}    rhyme: 'Unknown'\n",
            "can't be part of a configuration (PydanticUndefinedAnnotation: name 'Unknown' is not defined)",
        ),
    ],
)
def test_what_is_no_kind_of_its_name_is_listed_with_the_reason(tmp_path: Path, code: str, problem: str) -> None:
    add(tmp_path, "odd", code)
    answer = ask_for("countdown", tmp_path)
    assert answer["answer"] == "Countdown"
    assert sorted(answer["kinds"]) == BUILT_IN
    assert answer["entries"][0]["problem"].startswith(f"odd:Poem {problem}")


def test_a_built_in_kind_is_not_replaced(tmp_path: Path) -> None:
    add(tmp_path, "thief", POEMS.replace('Literal["poem"]', 'Literal["countdown"]'), kind="countdown")
    answer = ask_for("countdown", tmp_path)
    assert answer["answer"] == "Countdown"
    problem = "the name is that of a built-in entry, which is used instead"
    assert answer["entries"] == [entry("countdown", "thief 1.0", problem, "rename or uninstall it")]


def test_a_kind_that_two_distributions_have_is_refused_naming_both(tmp_path: Path) -> None:
    add(tmp_path, "first", POEMS)
    add(tmp_path, "second", POEMS)
    answer = ask_for("poem", tmp_path)
    assert sorted(answer["kinds"]) == BUILT_IN
    assert answer["answer"] == (
        "field 'tasks.0.kind': poem of first 1.0: second 1.0 has an entry point of this name, too: "
        "uninstall one of them"
    )
    assert [entry["origin"] for entry in answer["entries"]] == ["first 1.0", "second 1.0"]
