"""The folder of a run: what a person looks for, where they look for it."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from data.plain_yaml import read_yaml
from experts.files import cannot_write, publish_text
from swarm.errors import InputError

_CONFIG_REMEDY = "start the run again from your own configuration file"

RUN_NAME = "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"
"""The names that runs may have, as a pattern of JSON Schema (its $ is the very end; Python's also a last newline)."""


def check_run_name(name: str) -> str:
    """Return `name` if a run may have it; else raise `InputError`."""
    if re.fullmatch(RUN_NAME, name) is None or name.endswith("\n"):
        raise InputError(
            f"the run name {name!r} is not allowed: use 1 to 64 letters, digits, '-' and '_', "
            "beginning with a letter or a digit"
        )
    return name


@dataclass(frozen=True)
class RunFolder:
    """The folder `root`/`name` and what lies in it; nothing is made until something is written.

    Raises:
        InputError: `name` is not allowed, or `root`/`name` is a link that leads out of `root`.

    """

    root: Path
    name: str

    def __post_init__(self) -> None:
        check_run_name(self.name)
        if self.path.resolve().parent != self.root.resolve():
            raise InputError(
                f"{self.path} is a link to {self.path.resolve()}, outside of the runs folder: "
                "remove the link, or set SWARM_RUNS to the folder that the run is in"
            )

    @property
    def path(self) -> Path:
        """The folder itself."""
        return self.root / self.name

    @property
    def config(self) -> Path:
        """The resolved configuration."""
        return self.path / "config.yaml"

    @property
    def best(self) -> Path:
        """The folder of the best adapter, as PEFT loads it."""
        return self.path / "best"

    @property
    def snapshots(self) -> Path:
        """The folder of an evolution strategies search's snapshots, which may be deleted."""
        return self.path / "snapshots"

    @property
    def summary(self) -> Path:
        """The result, as JSON."""
        return self.path / "summary.json"

    @property
    def report(self) -> Path:
        """The report, one HTML file."""
        return self.path / "report.html"

    @property
    def log(self) -> Path:
        """What was logged."""
        return self.path / "run.log"

    def create(self) -> None:
        """Make the folder if it is missing; one that can't be made raises `InputError`."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise cannot_write(self.path, error) from error

    def write_config(self, config: dict[str, Any]) -> None:
        """Publish `config` (plain JSON values, their order kept) as `config.yaml`."""
        publish_text(self.config, yaml.safe_dump(config, sort_keys=False, allow_unicode=True))

    def read_config(self) -> dict[str, Any]:
        """Return what `write_config` wrote; a missing or damaged file raises `InputError`."""
        try:
            value = read_yaml(self.config.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise InputError(f"cannot read {self.config}: {_reason(error)}: {_CONFIG_REMEDY}") from error
        if not isinstance(value, dict):
            raise InputError(f"{self.config} holds {type(value).__name__} and not fields: {_CONFIG_REMEDY}")
        return value

    def write_summary(self, summary: dict[str, Any]) -> None:
        """Publish `summary` as `summary.json`: equal values give equal bytes; NaN raises `ValueError`."""
        text = json.dumps(summary, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False)
        publish_text(self.summary, f"{text}\n")


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return " ".join(str(error).split())
