"""Kinds of tasks that plugins add by entry points of the group `model_swarms.objectives`."""

from dataclasses import dataclass
from inspect import isabstract
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import Field, TypeAdapter

from data.kinds.base import TaskConfig
from data.kinds.exact_match import ExactMatch
from data.plugins import Entry, Plugins
from data.user_code import describe_error
from swarm.errors import InputError


@dataclass(frozen=True)
class InstalledKinds:
    """The kinds that plugins add.

    Attributes:
        kinds: the classes that can be used.
        entries: every entry point, with its problem if it can't be used.

    """

    kinds: tuple[type[TaskConfig], ...]
    entries: tuple[Entry, ...]

    def broken(self, name: str) -> Entry | None:
        """Return the entry point called `name` if there is one that can't be used."""
        return next((entry for entry in self.entries if entry.name == name and entry.problem is not None), None)


def load_installed_kinds(plugins: Plugins) -> InstalledKinds:
    """Import every kind that a plugin adds."""
    kinds, entries = plugins.load_all(_check_kind)
    return InstalledKinds(tuple(kinds.values()), tuple(entries))


def kind_name(kind: type[TaskConfig]) -> str:
    """Return the `kind` by which configurations name a kind of task.

    Raises:
        InputError: the class does not say it as a `Literal` of one text.

    """
    field = kind.model_fields.get("kind")
    names = get_args(field.annotation) if field is not None and get_origin(field.annotation) is Literal else ()
    if len(names) != 1 or not isinstance(names[0], str):
        raise InputError("has no field kind of the type Literal['NAME']")
    return names[0]


def _check_kind(value: Any, name: str) -> type[TaskConfig]:
    if not (isinstance(value, type) and issubclass(value, TaskConfig)):
        raise InputError("is no subclass of data.kinds.base.TaskConfig")
    if isabstract(value):
        raise InputError(f"leaves out {', '.join(sorted(value.__abstractmethods__))}")
    if not isinstance(getattr(value, "version", None), int):
        raise InputError("has no version")
    if (own := kind_name(value)) != name:
        raise InputError(f"has the kind {own!r}, not {name!r}")
    try:  # what pydantic can't make a schema of would break the import of every configuration
        value.model_rebuild()  # says which type it names that there is not
        TypeAdapter(Annotated[ExactMatch | value, Field(discriminator="kind")]).json_schema()
    except Exception as error:  # pydantic's errors, and those of a stranger's types
        raise InputError(f"can't be part of a configuration ({describe_error(error)})") from error
    return value
