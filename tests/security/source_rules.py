"""What the project's source never does, found in its syntax trees."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_MODULES = {"pickle", "cPickle", "_pickle", "cloudpickle", "dill", "marshal", "shelve", "joblib"}
_CALLS = {"eval", "exec", "compile", "__import__"}
_ATTRIBUTES = {
    ("torch", "load"),
    ("yaml", "load"),
    ("yaml", "load_all"),
    ("yaml", "unsafe_load"),
    ("yaml", "full_load"),
    ("os", "system"),
    ("os", "popen"),
}
_SWITCHES = {"allow_pickle", "trust_remote_code", "shell"}


@dataclass(frozen=True)
class Breach:
    """A forbidden thing and the line it stands in."""

    line: int
    what: str


def breaches(source: str) -> list[Breach]:
    """Return every forbidden thing in a Python source, in the order of its lines."""
    found = [Breach(node.lineno, what) for node, what in _breaches(ast.parse(source))]
    return sorted(found, key=lambda breach: breach.line)


def python_files(root: Path, packages: tuple[str, ...]) -> list[Path]:
    """Return the source files of `packages` below `root`."""
    return [path for package in packages for path in sorted((root / package).rglob("*.py"))]


def _breaches(tree: ast.Module) -> Iterator[tuple[ast.expr | ast.stmt, str]]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from ((node, f"import {name.name}") for name in names if _root(name.name) in _MODULES)
            case ast.ImportFrom(module=str(module), names=names):
                if _root(module) in _MODULES:
                    yield node, f"from {module} import"
                yield from ((node, f"{module}.{name.name}") for name in names if (module, name.name) in _ATTRIBUTES)
            case ast.Call(func=ast.Name(id=name)) if name in _CALLS:
                yield node, f"{name}()"
            case ast.Attribute(value=ast.Name(id=owner), attr=attribute) if (owner, attribute) in _ATTRIBUTES:
                yield node, f"{owner}.{attribute}"
        if isinstance(node, ast.Call):
            yield from ((node, f"{name}=") for name in _switched_on(node))


def _switched_on(call: ast.Call) -> Iterator[str]:
    """Yield the dangerous switches of a call that are anything but the literal False."""
    for keyword in call.keywords:
        off = isinstance(keyword.value, ast.Constant) and keyword.value.value is False
        if keyword.arg in _SWITCHES and not off:
            yield keyword.arg


def _root(module: str) -> str:
    return module.partition(".")[0]
