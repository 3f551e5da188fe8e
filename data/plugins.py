"""What other installed distributions add to this project's tables, by entry points (importlib.metadata).

A table of this project (engines, searches, kinds of objectives, trackers) has a group of entry points. A distribution
adds an entry by a line in its pyproject.toml, here one for `engine.kind: mine`:

    [project.entry-points."model_swarms.engines"]
    mine = "my_package.engine:KIND"

Nothing of a plugin is imported before its name is used.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any, TypeVar

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticKnownError, core_schema

from swarm.errors import InputError

T = TypeVar("T")

BUILT_IN = "built in"


@dataclass(frozen=True)
class Entry:
    """An entry of a table, for people.

    Attributes:
        name: the name under which a configuration asks for it.
        origin: `BUILT_IN`, or the distribution that brings it with its version.
        problem: why it can't be used, as far as this is known without loading it; None if nothing is wrong.

    """

    name: str
    origin: str
    problem: str | None = None


def plugin_names(group: str, built_in: Iterable[str] = ()) -> list[str]:
    """Return the names that plugins add in `group`, sorted; those of `built_in` are taken."""
    return sorted({point.name for point in entry_points(group=group)} - set(built_in))


def load_plugin(group: str, name: str, expected: type[T], field: str) -> T:
    """Import the plugin called `name` of `group`, which is an `expected`; `field` begins the messages.

    Raises:
        InputError: no distribution brings it or several do, its import fails, or it is something else.

    """
    points = list(entry_points(group=group, name=name))
    if not points:
        raise InputError(f"{field}: {name}: no installed package has it as entry point of {group}: install one")
    origins = sorted({_origin(point) for point in points})
    if len(points) > 1:
        raise InputError(f"{field}: {name}: several entry points have this name ({', '.join(origins)}): uninstall one")
    problem = f"{field}: {name}: {points[0].value} of {origins[0]}"
    try:
        loaded = points[0].load()
    except Exception as error:  # whatever a stranger's module raises
        reason = f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"
        raise InputError(f"{problem} can't be loaded ({reason}): repair, update or uninstall it") from error
    if not isinstance(loaded, expected):
        raise InputError(f"{problem} is of type {type(loaded).__name__}, not {expected.__name__}: repair its package")
    return loaded


def entries(group: str, built_in: Sequence[str]) -> list[Entry]:
    """List the table of `group`: what is `built_in`, then the plugins by name; nothing is loaded."""
    points = sorted(entry_points(group=group), key=lambda point: (point.name, _origin(point)))
    return [Entry(name, BUILT_IN) for name in built_in] + [
        Entry(point.name, _origin(point), _problem(point, points, built_in)) for point in points
    ]


@dataclass(frozen=True)
class PluginName:
    """Has pydantic accept a field's names, built in or of plugins: `kind: Annotated[str, PluginName(group, names)]`.

    Messages and JSON schema are those of a `Literal` of the names that can be used.
    """

    group: str
    built_in: tuple[str, ...]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return the schema that calls `_check`."""
        return core_schema.no_info_plain_validator_function(self._check)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return the enumeration of all names."""
        return {"enum": self._names(), "type": "string"}

    def _check(self, value: Any) -> str:
        if isinstance(value, str) and (value in self.built_in or value in plugin_names(self.group)):
            return value
        *names, last = map(repr, self._names())
        expected = f"{', '.join(names)} or {last}" if names else last
        raise PydanticKnownError("literal_error", {"expected": expected})

    def _names(self) -> list[str]:
        return [*self.built_in, *plugin_names(self.group, self.built_in)]


def _origin(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist is not None else "an unknown distribution"


def _problem(point: EntryPoint, points: Sequence[EntryPoint], built_in: Sequence[str]) -> str | None:
    if point.name in built_in:
        return "the name is that of a built-in entry, which is used instead"
    if sum(other.name == point.name for other in points) > 1:
        return "several entry points have this name"
    return None
