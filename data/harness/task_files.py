"""Find lm-eval's task files by the task's name, read them without running anything, and hash them."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml

from data.plain_yaml import PlainLoader, load_yaml
from data.text import show_value
from data.user_code import is_name, load
from swarm.errors import InputError

INSTALLED = Path("lm-eval")
"""Stands for the folder of the tasks that come with lm-eval."""

_ABOUT_THE_DATA = {"dataset_path", "dataset_name", "dataset_kwargs"}


@dataclass(frozen=True)
class Code:
    """A function that a task file names (`!function utils.process_docs`), not imported yet; `folder` is the file's."""

    name: str
    folder: Path

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class TaskFile:
    """A task file with what it includes.

    Attributes:
        path: the file.
        config: its settings; functions are what Python calls.
        sha256: of the settings and the functions' source files, without paths.

    """

    path: Path
    config: dict[str, Any]
    sha256: str


def read_task(name: str, folder: Path) -> TaskFile:
    """Return the task called `name` of the task files in `folder`; only a folder of the user's own may have code.

    Raises:
        InputError: there is no such task, its file can't be read, or it has code that may not or can't be run.

    """
    own = folder != INSTALLED
    root = folder if own else installed_tasks()
    path = _find(name, root)
    config = _read(path, ())
    functions = {code: _load(name, code, root, own) for code in _codes(config)}
    settings = {key: value for key, value in config.items() if key not in _ABOUT_THE_DATA}
    content = [settings, sorted((code.name, digest) for code, (_, digest) in functions.items())]
    digest = sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()
    return TaskFile(path, _map_codes(config, lambda code: functions[code][0]), digest)


def installed_tasks() -> Path:
    """Return the folder of the tasks that come with lm-eval.

    Raises:
        InputError: lm-eval is not installed.

    """
    specification = find_spec("lm_eval")
    if specification is None or specification.origin is None:
        raise InputError("kind lm_eval: lm-eval is not installed: pip install --editable '.[lm-eval]'")
    return Path(specification.origin).parent / "tasks"


def _find(name: str, root: Path) -> Path:
    if not root.is_dir():
        raise InputError(f"{root}: there is no such folder: name the one that has the file of the task {name!r}")
    line = re.compile(rf"^task:[ \t]*(['\"]?){re.escape(name)}\1[ \t\r]*(?:#.*)?$", re.MULTILINE)
    paths = [path for path in sorted(root.rglob("*.yaml")) if line.search(path.read_text("utf-8", "replace"))]
    if len(paths) != 1:
        problem = f"{len(paths)} files have" if paths else "no .yaml file has"
        raise InputError(f"{root}: {problem} the line 'task: {name}': correct 'task' or 'data'")
    return paths[0]


class _TaskFileLoader(PlainLoader):
    """Loads plain YAML values, and `!function NAME` as `Code`."""

    def __init__(self, text: str, folder: Path) -> None:
        super().__init__(text)
        self.folder = folder


def _code(loader: _TaskFileLoader, node: yaml.ScalarNode) -> Code:
    return Code(str(loader.construct_scalar(node)), loader.folder)


_TaskFileLoader.add_constructor("!function", _code)


def _read(path: Path, including: tuple[Path, ...]) -> dict[str, Any]:
    """Read the file at `path` and the files that it includes; its own settings override theirs."""
    if path in including:
        raise InputError(f"{path}: includes itself: correct 'include'")
    try:
        config = load_yaml(partial(_TaskFileLoader, folder=path.parent), path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(f"{path}: can't be read ({' '.join(str(error).split())}): correct it") from error
    if not isinstance(config, dict):
        raise InputError(f"{path}: holds {show_value(config)}, not a task's settings: correct it")
    includes = config.pop("include", [])
    settings: dict[str, Any] = {}
    for file in includes if isinstance(includes, list) else [includes]:
        settings |= _read(path.parent / str(file), (*including, path))
    return settings | config


def _codes(value: Any) -> set[Code]:
    codes: set[Code] = set()
    _map_codes(value, codes.add)
    return codes


def _map_codes(value: Any, function: Callable[[Code], Any]) -> Any:
    """Return `value` with every `Code` in it replaced by what `function` returns for it."""
    match value:
        case Code():
            return function(value)
        case dict():
            return {key: _map_codes(item, function) for key, item in value.items()}
        case list():
            return list(map(partial(_map_codes, function=function), value))
    return value


def _load(task: str, code: Code, root: Path, own: bool) -> tuple[Callable[..., Any], str]:
    """Return the function that `code` names, and the SHA-256 of its source file."""
    if not own or not code.folder.resolve().is_relative_to(root.resolve()):
        raise InputError(
            f"task {task!r} runs Python code ({code} in {code.folder}), and only code of a folder that 'data' names "
            "is run: read it, and name that folder, or a copy of it, as 'data'"
        )
    module, _, function = code.name.rpartition(".")
    name = f"{module}:{function}"
    try:
        if not is_name(name):
            raise InputError("is not module.function: name a function of a Python file beside the task's")
        loaded = load(name, code.folder)
        if not callable(loaded.value):
            raise InputError(f"{loaded.module} has no function {function!r}: define it or name another")
    except InputError as error:
        raise InputError(f"task {task!r}: !function {code}: {error}") from error
    return loaded.value, loaded.sha256
