"""The table of searches: one line an algorithm, and nothing else asks which algorithm a run has.

A new algorithm of this project is a folder below `infra/searches`, its flow, and a line here. Somebody else's comes by
an entry point of the group `model_swarms.searches`, whose object is a `Search`, and whose name is the search's.
"""

from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.configs.common import RunConfig
from infra.configs.errors import nearest
from infra.configs.yaml_files import apply_overrides, read_mapping, validate
from infra.records.values import RunRecord
from infra.run.search import Search
from infra.searches.evolution_strategies.search import EvolutionStrategies
from infra.searches.heterogeneous_swarms.search import HeterogeneousSwarms
from infra.searches.model_swarms.search import ModelSwarms
from infra.settings import Settings
from swarm.errors import InputError

if TYPE_CHECKING:
    from infra.evaluation.inputs import RunInputs

GROUP = "model_swarms.searches"

BUILT_IN: tuple[Search[Any], ...] = (
    ModelSwarms("flows.model_swarms:model_swarms"),
    HeterogeneousSwarms("flows.heterogeneous_swarms:heterogeneous_swarms"),
    EvolutionStrategies("flows.evolution_strategies:evolution_strategies"),
)
"""The first is what a configuration without `algorithm` means."""


class Searches(Mapping[str, Search[Any]]):
    """Every search by the value of `algorithm`; those of entry points are loaded when they are asked for."""

    def __init__(self, built_in: Sequence[Search[Any]]) -> None:
        self._built_in = {search.name: search for search in built_in}

    def __getitem__(self, name: str) -> Search[Any]:
        if name in self._built_in:
            return self._built_in[name]
        return _load(self.plugins()[name])

    def __iter__(self) -> Iterator[str]:
        yield from self._built_in
        yield from self.plugins()

    def __len__(self) -> int:
        return len(self._built_in) + len(self.plugins())

    def plugins(self) -> dict[str, EntryPoint]:
        """Return the entry points by name; one that has the name of a search of this project is left out."""
        return {point.name: point for point in entry_points(group=GROUP) if point.name not in self._built_in}

    def of(self, run: RunConfig | RunRecord) -> Search[Any]:
        """Return the search that `run` is one of.

        Raises:
            InputError: it is of an algorithm that is not installed here.

        """
        if run.algorithm not in self:
            raise InputError(
                f"run {run.name!r} is one of {run.algorithm!r}, which is not installed here, only {', '.join(self)}: "
                "install the package that has it"
            )
        return self[run.algorithm]


SEARCHES = Searches(BUILT_IN)


def load_run_config(path: Path, overrides: Sequence[str] = ()) -> RunConfig:
    """Read the YAML file of a run; relative paths in it are relative to its folder.

    Args:
        path: a YAML file with one mapping.
        overrides: `dotted.key=value` texts; values are read as YAML.

    Raises:
        InputError: naming the file, the field, the value seen and what to do.

    """
    return run_config(apply_overrides(read_mapping(path), overrides), str(path), folder=path.parent.resolve())


def run_config(value: dict[str, Any], source: str, folder: Path | None = None) -> RunConfig:
    """Return `value` as the configuration of the algorithm that it names; errors name `source`.

    Raises:
        InputError: in one line, for the first thing that is wrong.

    """
    algorithm = value.get("algorithm", BUILT_IN[0].name)
    if algorithm not in SEARCHES:
        names = list(SEARCHES)
        remedy = nearest(str(algorithm), names)
        raise InputError(f"{source}: field 'algorithm': there is no {algorithm!r}, only {', '.join(names)}: {remedy}")
    config: RunConfig = validate(value, SEARCHES[algorithm].schema, source, folder)
    return config


def prepare(config: RunConfig, settings: Settings) -> "RunInputs":
    """Find, read and check everything that `config` names; raises as `infra.run.prepare.prepare` does."""
    from infra.run import prepare as before_a_run  # imports PyTorch

    inputs: RunInputs = before_a_run.prepare(config, settings, SEARCHES.of(config).inputs)
    return inputs


def _load(point: EntryPoint) -> Search[Any]:
    """Return the search of an entry point; what is wrong with it is one line."""
    source = f"entry point {point.name!r} of {GROUP} ({point.value})"
    try:
        search = point.load()
    except Exception as error:  # whatever a stranger's module raises as it is imported
        raise InputError(f"{source} can't be loaded ({type(error).__name__}: {error}): repair or remove it") from error
    if not isinstance(search, Search) or search.name != point.name:
        raise InputError(f"{source} is no search of that name: it must be a `Search` called {point.name!r}")
    return search
