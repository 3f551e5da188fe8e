"""Score functions that users write: named as `module:function` in a config, loaded from a file, called, checked."""

import importlib
import importlib.util
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from importlib.abc import SourceLoader
from keyword import iskeyword
from numbers import Real
from pathlib import Path
from types import ModuleType

from data.examples import Example
from swarm.errors import EvaluationError, InputError

ScoreFunction = Callable[[Example, str], float]
"""Scores a completion (without spaces around it) of what `example` asks; higher is better."""

LARGEST = 1e100
"""The largest size of a score: sums of larger ones would overflow."""


@dataclass(frozen=True)
class LoadedFunction:
    """A score function, ready to be called.

    Attributes:
        name: as the config names it.
        call: the function.
        sha256: of its source file's bytes, which are those that were run.

    """

    name: str
    call: ScoreFunction
    sha256: str

    def score(self, example: Example, completion: str) -> float:
        """Return the function's score.

        Raises:
            EvaluationError: it raised something, or returned something else than a finite number.

        """
        try:
            value = self.call(example, completion)
        except (Exception, SystemExit) as error:
            raise EvaluationError(f"{self._for(example)} raised {_described(error)}") from error
        score = _as_float(value)
        if not abs(score) <= LARGEST:  # NaN is not
            raise EvaluationError(f"{self._for(example)} returned {_kind_of(value)}, which is no finite number")
        return score

    def _for(self, example: Example) -> str:
        return f"the score function {self.name} for {example.place} of {example.dataset}"


def check_name(name: str) -> str:
    """Return `name` if it is `module:function` in identifiers (the module's may be dotted), else raise `ValueError`."""
    module, colon, function = name.partition(":")
    if not colon or not all(map(_is_identifier, (*module.split("."), function))):
        raise ValueError(f"{name!r} is not module:function: write for instance scoring:rhymes for rhymes in scoring.py")
    return name


def load_function(name: str, folder: Path) -> LoadedFunction:
    """Return the score function `name`, from `folder` or else from where Python looks for modules.

    A module of `folder` is a file of its own: it can't import its neighbours, because what they say would not be part
    of the objective's key.

    Raises:
        InputError: there is no such module or function, or importing it failed.

    """
    module_name, _, function_name = check_name(name).partition(":")
    path = folder.joinpath(*module_name.split(".")).with_suffix(".py")
    try:
        module, source = _from_file(path) if path.is_file() else _from_path(module_name)
    except InputError as error:
        raise InputError(f"score {name!r}: {error}") from error
    except (Exception, SystemExit) as error:  # a module is a program of the user's: it raises what it likes
        raise InputError(f"score {name!r}: importing {module_name} raised {_described(error)}: correct it") from error
    function = getattr(module, function_name, None)
    if not callable(function):
        raise InputError(f"score {name!r}: {module_name} has no function {function_name!r}: define it or name another")
    return LoadedFunction(name, function, sha256(source).hexdigest())


def _from_file(path: Path) -> tuple[ModuleType, bytes]:
    source = path.read_bytes()
    # Named by its content: two files called alike don't meet, and an edited one is never taken for what it was.
    name = f"score_function_{sha256(str(path).encode() + source).hexdigest()}"
    if name in sys.modules:
        return sys.modules[name], source
    specification = importlib.util.spec_from_loader(name, _Source(path, source))
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module  # before it runs: its dataclasses look themselves up there
    try:
        specification.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module, source


def _from_path(name: str) -> tuple[ModuleType, bytes]:
    try:
        specification = importlib.util.find_spec(name)
    except ModuleNotFoundError:
        specification = None
    if specification is None:
        raise InputError(f"there is no module {name}: put {name.split('.')[-1]}.py beside the config file")
    if specification.origin is None or not specification.origin.endswith(".py"):
        raise InputError(f"{name} has no source file, so its content can't be recorded: name a module in Python")
    return importlib.import_module(name), Path(specification.origin).read_bytes()


class _Source(SourceLoader):
    """Runs exactly the bytes that were hashed: no cached byte code, and no second look at the file."""

    def __init__(self, path: Path, source: bytes) -> None:
        self._path, self._source = path, source

    def get_filename(self, fullname: str) -> str:
        return str(self._path)

    def get_data(self, path: str | bytes) -> bytes:
        if str(path) != str(self._path):
            raise OSError(f"{path!r} is not looked for")
        return self._source


def _as_float(value: object) -> float:
    """Return `value` as a float; NaN if it is none."""
    try:
        return float(value) if isinstance(value, Real) else math.nan
    except OverflowError:
        return math.inf


def _kind_of(value: object) -> str:
    """Return what a message says of a value of the user's: its own text may be long, or raise."""
    return str(value) if isinstance(value, float) else f"a value of type {type(value).__name__}"


def _is_identifier(text: str) -> bool:
    return text.isascii() and text.isidentifier() and not iskeyword(text)


def _described(error: BaseException) -> str:
    lines = str(error).split("\n")
    return f"{type(error).__name__}: {lines[0]}" if lines[0] else type(error).__name__
