"""Every script of bench/ says what it takes, and every other file there can be imported.

All of them are imported in one process, which is not this one: some set what libraries read at their import.
"""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted(path.relative_to(ROOT) for path in (ROOT / "bench").rglob("*.py"))
MODULES = {".".join(path.with_suffix("").parts): path for path in FILES if path.name != "__init__.py"}
"""Every file of bench/, by the name of its module."""

IMPORT_AND_ASK = """
import contextlib, io, json, os, runpy, sys, traceback
problems = {}
for name, script in json.loads(sys.argv[1]).items():
    sys.argv = [name, "--help"]
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said):
            runpy.run_module(name, run_name="__main__" if script else name, alter_sys=True)
        ended = 0
    except SystemExit as error:
        ended = error.code or 0
    except BaseException:
        ended = traceback.format_exc()
    if ended or script and "--help" not in said.getvalue():
        problems[name] = ended or said.getvalue()
print(json.dumps(problems))
"""


def takes_arguments(path: Path) -> bool:
    """Tell whether a file is a script with a command line: whether it can be asked for its help."""
    return ("argparse" in (source := (ROOT / path).read_text()) and "__main__" in source) or "typer.run" in source


def is_script(path: Path) -> bool:
    """Tell whether a file does something when it is called."""
    return '__name__ == "__main__"' in (ROOT / path).read_text()


@pytest.fixture(scope="module")
def problems() -> dict[str, str]:
    """What went wrong with each module: nothing, one hopes."""
    asked = json.dumps({name: takes_arguments(path) for name, path in MODULES.items()})
    environment = {**os.environ, "COLUMNS": "120", "NO_COLOR": "1", "TERM": "dumb"}
    command = [sys.executable, "-W", "ignore", "-c", IMPORT_AND_ASK, asked]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.slow  # a process that imports everything
@pytest.mark.parametrize("module", MODULES)
def test_it_is_imported_and_says_what_it_takes(module: str, problems: dict[str, str]) -> None:
    assert module not in problems, problems[module]


def test_the_index_names_every_script_and_no_other() -> None:
    index = (ROOT / "bench" / "README.md").read_text()
    named = {line.split("`")[1] for line in index.splitlines() if line.startswith("| `")}
    assert named == {name for name, path in MODULES.items() if is_script(path)}


@pytest.mark.parametrize("path", FILES, ids=str)
def test_every_file_says_what_it_is(path: Path) -> None:
    assert ast.get_docstring(ast.parse((ROOT / path).read_text()))
