import gc
import hashlib
import os
import re
import sys
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest

from data.examples import Example
from data.score_functions import check_name, load_function
from swarm.errors import EvaluationError, InputError

ASKED = Example("poems", "dev", 3, "3", "A rhyme on moon?", "June")
RHYMES = "def rhymes(example, completion):\n    return float(completion.endswith('une'))\n"


def write(folder: Path, source: str, name: str = "scoring.py") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(source)
    return folder


def result(folder: Path, body: str) -> float:
    write(folder, f"import sys\ndef score(example, completion):\n    {body}\n")
    return load_function("scoring:score", folder).score(ASKED, "in June")


def test_a_function_beside_the_config_is_called_with_the_example_and_the_completion(tmp_path: Path) -> None:
    folder = write(tmp_path, "def score(example, completion):\n    return len(example.answer) + len(completion) / 10\n")
    assert load_function("scoring:score", folder).score(ASKED, "in June") == 4.7


def test_it_is_known_by_the_hash_of_its_source(tmp_path: Path) -> None:
    loaded = load_function("scoring:rhymes", write(tmp_path, RHYMES))
    assert loaded.sha256 == hashlib.sha256(RHYMES.encode()).hexdigest()


def test_an_edited_function_is_loaded_anew_and_an_old_one_stays_what_it_was(tmp_path: Path) -> None:
    before = load_function("scoring:score", write(tmp_path, "def score(example, completion):\n    return 1\n"))
    after = load_function("scoring:score", write(tmp_path, "def score(example, completion):\n    return 2\n"))
    assert (before.score(ASKED, ""), after.score(ASKED, "")) == (1.0, 2.0)
    assert not list(tmp_path.glob("__pycache__"))


def test_files_of_the_same_name_in_two_folders_do_not_meet(tmp_path: Path) -> None:
    folders = [write(tmp_path / str(n), f"def score(example, completion):\n    return {n}\n") for n in range(2)]
    assert [load_function("scoring:score", folder).score(ASKED, "") for folder in folders] == [0.0, 1.0]


def test_a_module_may_stand_in_a_folder_and_use_dataclasses(tmp_path: Path) -> None:
    source = (
        "from __future__ import annotations\nfrom dataclasses import dataclass\n"
        "@dataclass\nclass Rule:\n    points: float\n"
        "def score(example, completion):\n    return Rule(0.5).points\n"
    )
    write(tmp_path / "mine", source, "rules.py")
    assert load_function("mine.rules:score", tmp_path).score(ASKED, "") == 0.5


def test_a_module_that_python_finds_is_used_where_the_folder_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(write(tmp_path / "installed", RHYMES, "installed_scoring.py")))
    loaded = load_function("installed_scoring:rhymes", tmp_path)
    assert loaded.score(ASKED, "in June") == 1.0
    assert loaded.sha256 == hashlib.sha256(RHYMES.encode()).hexdigest()


@pytest.mark.parametrize(("body", "value"), [("return True", 1.0), ("return -3", -3.0), ("return 0.25", 0.25)])
def test_numbers_of_every_type_are_scores(tmp_path: Path, body: str, value: float) -> None:
    assert result(tmp_path, body) == value


def test_a_numpy_number_is_a_score_too(tmp_path: Path) -> None:
    write(tmp_path, "import numpy as np\ndef score(example, completion):\n    return np.float32(0.5)\n")
    value = load_function("scoring:score", tmp_path).score(ASKED, "")
    assert (value, type(value)) == (np.float32(0.5), float)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return 1 / 0", "raised ZeroDivisionError: division by zero"),
        ("raise ValueError('one\\ntwo')", "raised ValueError: one"),
        ("raise KeyError", "raised KeyError"),
        ("sys.exit(3)", "raised SystemExit: 3"),
        ("return float('nan')", "returned nan, which is no finite number"),
        ("return 10**400", "returned a value of type int, which is no finite number"),
        ("return 1e300", "returned 1e+300, which is no finite number"),
        ("return '1'", "returned a value of type str, which is no finite number"),
        ("return None", "returned a value of type NoneType, which is no finite number"),
    ],
)
def test_what_is_no_score_fails_the_evaluation_in_one_line(tmp_path: Path, body: str, message: str) -> None:
    with pytest.raises(EvaluationError) as error:
        result(tmp_path, body)
    assert str(error.value) == f"the score function scoring:score for dev[3] of poems {message}"


@pytest.mark.parametrize(
    ("name", "source", "message"),
    [
        ("scoring:score", RHYMES, "scoring has no function 'score': define it or name another"),
        ("scoring:WORDS", "WORDS = ['a']\n", "scoring has no function 'WORDS': define it or name another"),
        ("scoring:score", "def score(:\n", "importing scoring raised SyntaxError: invalid syntax"),
        ("scoring:score", "import no_such_thing\n", "importing scoring raised ModuleNotFoundError: No module named"),
        ("scoring:score", "raise SystemExit(1)\n", "importing scoring raised SystemExit: 1: correct it"),
        ("nowhere:score", RHYMES, "there is no module nowhere: put nowhere.py beside the config file"),
        ("a.b.nowhere:score", RHYMES, "there is no module a.b.nowhere: put nowhere.py beside the config file"),
        ("math:sqrt", RHYMES, "math has no source file, so its content can't be recorded: name a module in Python"),
    ],
)
def test_a_function_that_cannot_be_loaded_is_refused(tmp_path: Path, name: str, source: str, message: str) -> None:
    with pytest.raises(InputError) as error:
        load_function(name, write(tmp_path, source))
    assert str(error.value).startswith(f"score {name!r}: {message}")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "name",
    ["", "scoring", "scoring:", ":score", "scoring:score:x", "../scoring:score", "/tmp/x:score", "a-b:score", "a..b:c",
     "scoring:score()", "scoring:a.b", "class:score", "scoring:lambda", "scöring:score", "scoring :score"],
)  # fmt: skip
def test_only_identifiers_are_a_name(name: str) -> None:
    with pytest.raises(ValueError, match="is not module:function"):
        check_name(name)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("raise KeyboardInterrupt", "raised KeyboardInterrupt"),
        ("raise BaseException('odd')", "raised BaseException: odd"),
        ("raise GeneratorExit", "raised GeneratorExit"),
        ("return score(example, completion)", "raised RecursionError: maximum recursion depth exceeded"),
        ("raise type('E', (Exception,), {'__str__': lambda self: 1 / 0})", "raised E"),
        (
            "return type('Odd', (), {'__float__': lambda self: 1.0})()",
            "returned a value of type Odd, which is no finite",
        ),
        ("import os; os._exit(3)", "ended its process (exit code 3)"),
        ("import os; os.kill(os.getpid(), 11)", "ended its process (signal 11)"),
        ("import os; os.closerange(3, 99)", "ended its process (exit code "),
    ],
)
def test_nothing_that_a_function_does_is_a_score_or_ends_the_run(tmp_path: Path, body: str, message: str) -> None:
    with pytest.raises(EvaluationError) as error:
        result(tmp_path, body)
    assert str(error.value).startswith(f"the score function scoring:score for dev[3] of poems {message}")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "endless",
    [
        "while True: pass",
        "import time; time.sleep(1e6)",
        "return sum(iter(int, 1))",
        "import threading; threading.Event().wait()",
    ],
)
def test_a_call_that_takes_too_long_is_ended_and_the_next_one_is_made(tmp_path: Path, endless: str) -> None:
    write(
        tmp_path, f"def score(example, completion):\n    if completion == 'forever':\n        {endless}\n    return 1\n"
    )
    loaded = load_function("scoring:score", tmp_path, seconds=0.2)
    with pytest.raises(EvaluationError) as error:
        loaded.score(ASKED, "forever")
    assert str(error.value) == (
        "the score function scoring:score for dev[3] of poems took longer than 0.2 s: make it faster, or raise the "
        "task's timeout"
    )
    assert loaded.score(ASKED, "soon") == 1.0


def test_a_function_can_change_neither_the_example_nor_the_run(tmp_path: Path) -> None:
    write(
        tmp_path,
        "import os, sys\n"
        "def score(example, completion):\n"
        "    seen = len(example.extra['words'])\n"
        "    example.extra['words'].append('more')\n"
        "    object.__setattr__(example, 'answer', 'changed')\n"
        "    os.environ['CHANGED_BY_A_SCORE'] = '1'\n"
        "    sys.path.clear()\n"
        "    return seen\n",
    )
    asked = Example("poems", "dev", 0, "0", "Which?", "June", (("A", "a"), ("B", "b")), {"words": ["one"]})
    loaded, path = load_function("scoring:score", tmp_path), list(sys.path)
    assert [loaded.score(asked, ""), loaded.score(asked, "")] == [1.0, 1.0]
    assert (asked.answer, asked.extra) == ("June", {"words": ["one"]})
    assert (os.environ.get("CHANGED_BY_A_SCORE"), sys.path) == (None, path)


def test_a_function_gets_the_example_as_it_is(tmp_path: Path) -> None:
    asked = Example("poems", "dev", 0, "0", "Wh\u00efch\n?", "June", (("A", "\U0001f600"),), {"n": 1.5, "none": None})
    write(tmp_path, f"def score(example, completion):\n    return repr(example) == {repr(asked)!r}\n")
    assert load_function("scoring:score", tmp_path).score(asked, "") == 1.0


def test_what_a_function_prints_does_not_reach_stdout(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write(
        tmp_path,
        "import os, sys\nprint('imported')\n"
        "def score(example, completion):\n"
        "    print('called', flush=True)\n    os.write(1, b'raw')\n    sys.__stdout__.flush()\n    return 1\n",
    )
    assert load_function("scoring:score", tmp_path).score(ASKED, "") == 1.0
    printed = capfd.readouterr()
    assert printed.out == ""
    assert "called" in printed.err


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("raise KeyboardInterrupt\n", "raised KeyboardInterrupt: correct it"),
        ("import os\nos._exit(5)\n", "ended its process (exit code 5): correct it"),
        ("while True:\n    pass\n", "took longer than 0.3 s: correct it"),
    ],
)
def test_a_module_that_cannot_be_imported_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, problem: str
) -> None:
    monkeypatch.setattr("data.score_process.LOADING_SECONDS", 0.3 if "while" in source else 60.0)
    with pytest.raises(InputError, match=re.escape(f"score 'scoring:score': importing scoring {problem}")):
        load_function("scoring:score", write(tmp_path, source))


def test_a_process_that_is_started_again_runs_no_other_code(tmp_path: Path) -> None:
    source = "import os\ndef score(example, completion):\n    return 1 if completion else os._exit(1)\n"
    loaded = load_function("scoring:score", write(tmp_path, source))
    with pytest.raises(EvaluationError, match="ended its process"):
        loaded.score(ASKED, "")
    write(tmp_path, source.replace("return 1", "return 2"))
    with pytest.raises(EvaluationError, match="can't be loaded again: its source file was changed: put it back"):
        loaded.score(ASKED, "x")
    write(tmp_path, source)
    assert loaded.score(ASKED, "x") == 1.0


def test_a_process_ends_with_the_function_that_it_runs(tmp_path: Path) -> None:
    write(tmp_path, "import os\ndef score(example, completion):\n    return os.getpid()\n")
    loaded = load_function("scoring:score", tmp_path)
    process = int(loaded.score(ASKED, ""))
    assert deepcopy(loaded).score(ASKED, "") == process
    del loaded
    gc.collect()
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
