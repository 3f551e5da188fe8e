"""Kinds of tasks that installed packages add by entry points of the group `model_swarms.objectives`."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from inspect import isabstract
from typing import Literal, get_args, get_origin

from data.entry_points import Extension, describe_entry_point, entry_points_of, extension_of, load_entry_point
from data.kinds.base import TaskConfig
from swarm.errors import InputError

KINDS_GROUP = "model_swarms.objectives"
"""The group of the entry points that name a `TaskConfig` subclass."""


@dataclass(frozen=True)
class InstalledKinds:
    """What the entry points of `KINDS_GROUP` came to.

    Attributes:
        kinds: the classes that can be used.
        extensions: every entry point, with its problem if it can't be used.

    """

    kinds: tuple[type[TaskConfig], ...]
    extensions: tuple[Extension, ...]

    @property
    def broken(self) -> tuple[Extension, ...]:
        """The entry points that can't be used."""
        return tuple(extension for extension in self.extensions if extension.problem is not None)

    def problems(self, name: str) -> str:
        """Return why the entry point called `name` can't be used, or else why each broken one can't; in one line."""
        same = [extension for extension in self.broken if extension.name == name]
        return "; ".join(str(extension.problem) for extension in same or self.broken)


def load_installed_kinds(names: Sequence[str]) -> InstalledKinds:
    """Import every kind that an installed package offers; the names in `names` can't be used."""
    kinds: dict[str, type[TaskConfig]] = {}
    extensions = []
    for point in entry_points_of(KINDS_GROUP).values():
        problem = None
        try:
            kind = _load_kind(point, (*names, *kinds))
            kinds[kind_name(kind)] = kind
        except InputError as error:
            problem = str(error)
        extensions.append(extension_of(point, problem))
    return InstalledKinds(tuple(kinds.values()), tuple(extensions))


def kind_name(kind: type[TaskConfig]) -> str:
    """Return the `kind` by which configurations name a kind of task.

    Raises:
        InputError: the class does not say it as a `Literal` of one text.

    """
    field = kind.model_fields.get("kind")
    names = get_args(field.annotation) if field is not None and get_origin(field.annotation) is Literal else ()
    if len(names) != 1 or not isinstance(names[0], str):
        raise InputError(f"class {kind.__name__} has no field kind of the type Literal['NAME']")
    return names[0]


def _load_kind(point: EntryPoint, names: Sequence[str]) -> type[TaskConfig]:
    value = load_entry_point(point)
    description = describe_entry_point(point)
    if not (isinstance(value, type) and issubclass(value, TaskConfig)):
        raise InputError(f"{description} is no subclass of data.kinds.base.TaskConfig")
    if isabstract(value):
        raise InputError(f"{description} leaves out {', '.join(sorted(value.__abstractmethods__))}")
    if not isinstance(getattr(value, "version", None), int):
        raise InputError(f"{description} has no version")
    try:
        name = kind_name(value)
    except InputError as error:
        raise InputError(f"{description}: {error}") from error
    if name in names:
        raise InputError(f"{description} has the kind {name!r}, which another has already")
    return value
