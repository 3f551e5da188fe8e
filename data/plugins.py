"""What other installed distributions add to this project's tables, by entry points (importlib.metadata).

Each table (searches, engines, kinds of objectives, trackers) has a group of entry points; docs/plugins.md says what an
entry of each must be. The rules are the same for all four:

- a built-in name always means what is built in;
- a name that two distributions have is refused where it is used;
- nothing of a plugin is imported before its name is used (kinds of objectives are the exception: `data.kinds.registry`
  says why);
- a plugin that can't be used is refused in one line, whatever its code raises.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any, TypeVar

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticKnownError, core_schema

from data.user_code import describe_error
from swarm.errors import InputError

T = TypeVar("T")

_REPAIR = "repair, update or uninstall it"


@dataclass(frozen=True)
class Entry:
    """An entry point of one of the tables, for people.

    Attributes:
        name: the name under which a configuration asks for it.
        origin: the distribution that brings it, with its version.
        problem: why it can't be used; None if it can.
        remedy: what to do about the problem; empty if there is none.

    """

    name: str
    origin: str
    problem: str | None = None
    remedy: str = ""


@dataclass(frozen=True)
class Plugins:
    """The group of entry points that adds to one table.

    Where a method takes a `check`, this is a function of what was loaded and of its name. It returns the thing, or
    raises `InputError` whose message goes on where "my_package:THING" ends: "is no function".

    Attributes:
        group: the group's name.
        field: the field of a configuration that takes the names; messages begin with it.
        built_in: the names of what is built in.

    """

    group: str
    field: str
    built_in: tuple[str, ...]

    def names(self) -> list[str]:
        """Return every name that a configuration may use: the built-in ones, then those of plugins."""
        return [*self.built_in, *self.plugin_names()]

    def plugin_names(self) -> list[str]:
        """Return the names that plugins add, sorted."""
        return sorted({point.name for point in entry_points(group=self.group)} - set(self.built_in))

    def load(self, name: str, check: Callable[[Any, str], T]) -> T:
        """Import the plugin called `name`.

        Raises:
            InputError: no distribution brings it or several do, its import fails, or `check` refuses it.

        """
        points = self._points(name)
        if not points:
            raise InputError(
                f"{self.field}: {name}: no installed package has it as entry point of {self.group}: "
                "install the one that has it, or choose another"
            )
        try:
            return self._load(points[0], points, check)
        except _UnusableError as error:
            raise InputError(self.refusal(error.entry)) from error

    def load_all(self, check: Callable[[Any, str], T]) -> tuple[dict[str, T], list[Entry]]:
        """Import every plugin; return those that can be used, by name, and an entry for each that there is."""
        points = self._points()
        usable: dict[str, T] = {}
        entries = []
        for point in points:
            try:
                usable[point.name] = self._load(point, points, check)
                entries.append(Entry(point.name, _origin(point)))
            except _UnusableError as error:
                entries.append(error.entry)
        return usable, entries

    def refusal(self, entry: Entry) -> str:
        """Return the message, one line, that refuses an `entry` with a problem."""
        return f"{self.field}: {entry.name} of {entry.origin}: {entry.problem}: {entry.remedy}"

    def _points(self, name: str | None = None) -> list[EntryPoint]:
        points = entry_points(group=self.group) if name is None else entry_points(group=self.group, name=name)
        return sorted(points, key=lambda point: (point.name, _origin(point), point.value))

    def _load(self, point: EntryPoint, points: Sequence[EntryPoint], check: Callable[[Any, str], T]) -> T:
        """Return what `point`, one of `points`, names; `_UnusableError` says why that can't be."""
        if point.name in self.built_in:
            problem = "the name is that of a built-in entry, which is used instead"
            raise _UnusableError(point, problem, "rename or uninstall it")
        others = [_origin(other) for other in points if other.name == point.name and other is not point]
        if others:
            problem = f"{' and '.join(others)} has an entry point of this name, too"
            raise _UnusableError(point, problem, "uninstall one of them")
        try:
            value = point.load()
        except (Exception, SystemExit) as error:  # whatever a stranger's module raises
            raise _UnusableError(point, f"{point.value} can't be loaded ({describe_error(error)})") from error
        try:
            return check(value, point.name)
        except InputError as error:
            raise _UnusableError(point, f"{point.value} {error}") from error


@dataclass(frozen=True)
class PluginName:
    """Has pydantic accept a field's names, built in or of plugins: `kind: Annotated[str, PluginName(plugins)]`.

    Messages and JSON schema are those of a `Literal` of the names that can be used. No plugin is imported.
    """

    plugins: Plugins

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return the schema that calls `_check`."""
        return core_schema.no_info_plain_validator_function(self._check)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return the enumeration of all names."""
        return {"enum": self.plugins.names(), "type": "string"}

    def _check(self, value: Any) -> str:
        if isinstance(value, str) and (value in self.plugins.built_in or value in self.plugins.plugin_names()):
            return value
        *names, last = map(repr, self.plugins.names())
        expected = f"{', '.join(names)} or {last}" if names else last
        raise PydanticKnownError("literal_error", {"expected": expected})


def check_named(value: Any, expected: type, name: str) -> None:
    """Raise `InputError`, for a `check` of `Plugins`, unless `value` is an `expected` that calls itself `name`."""
    if not isinstance(value, expected):
        raise InputError(f"is of type {type(value).__name__}, not {expected.__name__}")
    own = getattr(value, "name", None)
    if own != name:
        raise InputError(f"calls itself {own!r}, not {name!r}")


class _UnusableError(Exception):
    """An entry point can't be used; `entry` says why."""

    def __init__(self, point: EntryPoint, problem: str, remedy: str = _REPAIR) -> None:
        super().__init__(problem)
        self.entry = Entry(point.name, _origin(point), problem, remedy)


def _origin(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist is not None else "an unknown distribution"
