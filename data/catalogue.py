"""The public data sets of the papers: what they are, where to download them, and which facts were verified.

`catalogue.yaml` beside this file holds them; people may have a catalogue of their own in the same format.
"""

import difflib
from collections import Counter
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from data.data_file import MOST_BYTES, read_data_file
from data.text import show_value
from swarm.errors import InputError
from swarm.plain_json import JsonError, parse_json

CATALOGUE = Path(__file__).with_name("catalogue.yaml")
"""The catalogue that comes with the project."""

Paper = Literal["model_swarms", "heterogeneous_swarms", "evolution_strategies"]
"""arXiv 2410.11163, 2502.04510, 2509.24372."""


class DataSet(BaseModel):
    """A data set. What is None has not been verified, or is not known."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=100)
    """The name to pull it by; its file is NAME.json."""

    kind: str
    """The kind of task it was made for."""

    papers: tuple[Paper, ...] = ()
    """The papers that evaluate on it."""

    url: str | None = None
    """The address of its file; None if there is no file to download."""

    examples: dict[str, int] | None = None
    """How many examples each split has (`all`: one list without splits), counted in the file."""

    size: int | None = Field(None, gt=0)
    """The size of its file in bytes."""

    sha256: str | None = Field(None, pattern=r"^[0-9a-f]{64}$")
    """The SHA-256 of its file."""

    licence: str | None = None
    """The licence of the original data, as read at its source."""

    note: str = ""
    """What a user should know of it."""


class Catalogue(BaseModel):
    """A list of data sets."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    data_sets: dict[str, DataSet]
    """The data sets by name."""

    @field_validator("data_sets", mode="before")
    @classmethod
    def _with_names(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        return {key: {**entry, "name": key} if isinstance(entry, dict) else entry for key, entry in value.items()}

    def find(self, name: str) -> DataSet:
        """Return the data set called `name`.

        Raises:
            InputError: there is none; the message names the nearest.

        """
        if name not in self.data_sets:
            near = difflib.get_close_matches(name, self.data_sets, n=1)
            remedy = f"did you mean {near[0]!r}?" if near else "`swarm data list` shows those there are"
            raise InputError(f"there is no public data set {show_value(name)}: {remedy}")
        return self.data_sets[name]


def count_examples(path: Path) -> dict[str, int] | None:
    """Return how many examples each split of the data file `path` has; None if it is not in the papers' format."""
    try:
        return dict(Counter(raw.split for raw in read_data_file(path).raw))
    except InputError:
        return None


def problem_of(path: Path) -> str | None:
    """Return why the file at `path` can't be a data set (for instance `is no JSON`), or None if it can.

    It is the one check that a data set of unknown SHA-256 gets: a login page answers every address with success.
    """
    try:
        value = parse_json(path.read_bytes(), MOST_BYTES, check_text=False)
    except JsonError:
        return "is no JSON"
    return None if isinstance(value, dict | list) and value else "holds no examples"
