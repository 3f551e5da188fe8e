"""A small world for the `swarm` command: what a person has in a folder before the first search."""

from dataclasses import dataclass
from pathlib import Path

from tests.tiny import make_base, make_expert

EXPERTS = ("one", "two", "three")


@dataclass(frozen=True)
class World:
    """A folder with a base model, three experts, data and a run's configuration."""

    folder: Path

    @property
    def base(self) -> Path:
        return self.folder / "base"

    @property
    def config(self) -> Path:
        return self.folder / "run.yaml"

    @property
    def data(self) -> Path:
        return self.folder / "letters.json"

    @property
    def runs(self) -> Path:
        return self.folder / "runs"

    def expert(self, name: str) -> Path:
        return self.folder / "experts" / name

    def make_models(self) -> None:
        """Write base model and experts."""
        make_base(self.base)
        for seed, name in enumerate(EXPERTS):
            make_expert(self.expert(name), self.base, seed)
