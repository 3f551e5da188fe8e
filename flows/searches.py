"""The table of searches: one line an algorithm, and nothing else asks which algorithm a run has.

A new algorithm of this project is a folder below `infra/searches`, its flow, and a line here. Somebody else's comes by
an entry point of the group `model_swarms.searches`: a `Search` of the entry point's name.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.plugins import Entry, Plugins, check_named
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

BUILT_IN: tuple[Search[Any], ...] = (
    ModelSwarms("flows.model_swarms:model_swarms"),
    HeterogeneousSwarms("flows.heterogeneous_swarms:heterogeneous_swarms"),
    EvolutionStrategies("flows.evolution_strategies:evolution_strategies"),
)
"""The first is what a configuration without `algorithm` means."""

SEARCH_PLUGINS = Plugins("model_swarms.searches", "algorithm", tuple(search.name for search in BUILT_IN))


class Searches(Mapping[str, Search[Any]]):
    """Every search by the value of `algorithm`; a plugin's is loaded when it is asked for."""

    def __init__(self, built_in: Sequence[Search[Any]], plugins: Plugins) -> None:
        self._built_in = {search.name: search for search in built_in}
        self._plugins = plugins

    def __getitem__(self, name: str) -> Search[Any]:
        if name in self._built_in:
            return self._built_in[name]
        if name not in self:
            raise KeyError(name)
        return self._plugins.load(name, _check_search)

    def __contains__(self, name: object) -> bool:
        """Tell whether there is such a search; no plugin is loaded."""
        return isinstance(name, str) and (name in self._built_in or name in self._plugins.plugin_names())

    def __iter__(self) -> Iterator[str]:
        return iter(self._plugins.names())

    def __len__(self) -> int:
        return len(self._plugins.names())

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


SEARCHES = Searches(BUILT_IN, SEARCH_PLUGINS)


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


def search_entries() -> list[Entry]:
    """List the searches that plugins add; each is loaded, to see whether it can be used."""
    return SEARCH_PLUGINS.load_all(_check_search)[1]


def _check_search(value: Any, name: str) -> Search[Any]:
    check_named(value, Search, name)
    search: Search[Any] = value
    return search
