"""Code that users write or install: named `module:name` in a config, loaded from a file, known by its content."""

import importlib
import importlib.util
import sys
from hashlib import sha256
from importlib.abc import SourceLoader
from keyword import iskeyword
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from swarm.errors import InputError


class UserObject(NamedTuple):
    """The object that a `module:name` stands for.

    Attributes:
        value: the thing; None if the module has none of that name.
        module: the module's name.
        sha256: of its source's bytes, which are those that were run.

    """

    value: Any
    module: str
    sha256: str


def is_name(text: str) -> bool:
    """Tell whether `text` is `module:name` in identifiers (the module's may be dotted)."""
    module, colon, name = text.partition(":")
    return bool(colon) and all(map(_is_identifier, (*module.split("."), name)))


def load(name: str, folder: Path) -> UserObject:
    """Return what `name` (for which `is_name` holds) means, in `folder` or else where Python looks for modules.

    A module of `folder` is a file of its own: it can't import its neighbours, because what they say would not be part
    of the objective's key.

    Raises:
        InputError: there is no such module, or importing it failed.

    """
    module_name, _, attribute = name.partition(":")
    path = folder.joinpath(*module_name.split(".")).with_suffix(".py")
    try:
        module, source = _from_file(path) if path.is_file() else _from_path(module_name)
    except InputError:
        raise
    except (Exception, SystemExit) as error:  # a module is a program of the user's: it raises what it likes
        raise InputError(f"importing {module_name} raised {describe_error(error)}: correct it") from error
    return UserObject(getattr(module, attribute, None), module_name, sha256(source).hexdigest())


def describe_error(error: BaseException) -> str:
    """Return one line that describes an error of a user's code."""
    try:
        line = next(iter(str(error).splitlines()), "")
    except Exception:  # its own text is code of the user's, too
        line = ""
    return f"{type(error).__name__}: {line}" if line else type(error).__name__


def _from_file(path: Path) -> tuple[ModuleType, bytes]:
    source = path.read_bytes()
    # Named by its content: two files called alike don't meet, and an edited one is never taken for what it was.
    name = f"user_code_{sha256(str(path).encode() + source).hexdigest()}"
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
    """Loads exactly the bytes that were hashed: it uses no cached byte code and does not read the file again."""

    def __init__(self, path: Path, source: bytes) -> None:
        self._path, self._source = path, source

    def get_filename(self, fullname: str) -> str:
        return str(self._path)

    def get_data(self, path: str | bytes) -> bytes:
        if str(path) != str(self._path):
            raise OSError(f"{path!r} is not looked for")
        return self._source


def _is_identifier(text: str) -> bool:
    return text.isascii() and text.isidentifier() and not iskeyword(text)
