"""Find what installed packages add to this project by entry points; names are known before any of their code runs."""

from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from data.user_code import describe_error
from swarm.errors import InputError


@dataclass(frozen=True)
class Extension:
    """An entry point that an installed package offers.

    Attributes:
        group: the group it belongs to, for instance `model_swarms.objectives`.
        name: its name in that group.
        value: what it names, as `module:name`.
        distribution: the package and release that offer it, as in `poems 1.2`.
        problem: why it can't be used; None if it can, as far as is known.

    """

    group: str
    name: str
    value: str
    distribution: str
    problem: str | None = None


def entry_points_of(group: str) -> dict[str, EntryPoint]:
    """Return the entry points of `group` by name, sorted.

    Where two packages offer the same name, the one whose own name comes first in the alphabet is taken.
    """
    points = sorted(entry_points(group=group), key=lambda point: (point.name, distribution_of(point), point.value))
    first: dict[str, EntryPoint] = {}
    for point in points:
        first.setdefault(point.name, point)
    return first


def load_entry_point(point: EntryPoint) -> Any:
    """Import what `point` names.

    Raises:
        InputError: importing it failed, or its module has nothing of that name; in one line.

    """
    try:
        return point.load()
    except (Exception, SystemExit) as error:  # a package of somebody else's: it raises what it likes
        raise InputError(f"{describe_entry_point(point)} can't be loaded ({describe_error(error)})") from error


def extension_of(point: EntryPoint, problem: str | None = None) -> Extension:
    """Return `point` as a value for lists, with what is wrong with it."""
    return Extension(point.group, point.name, point.value, distribution_of(point), problem)


def describe_entry_point(point: EntryPoint) -> str:
    """Return `point` as messages show it: its name, its value, and the package that offers it."""
    return f"entry point {point.name} = {point.value} of {distribution_of(point)}"


def distribution_of(point: EntryPoint) -> str:
    """Return the name and release of the package that offers `point`."""
    return "an unknown package" if point.dist is None else f"{point.dist.name} {point.dist.version}"
