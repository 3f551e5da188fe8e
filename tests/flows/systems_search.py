"""A finished search for a system, and the same computed without a flow."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prefect import State as FlowState

from flows.searches import prepare
from infra.records.store import Records
from infra.records.values import Purpose
from infra.searches.heterogeneous_swarms.config import HeterogeneousSwarmsConfig
from infra.settings import Settings
from swarm import heterogeneous
from swarm.heterogeneous_plan import SystemTemplate, graph_systems, model_systems
from swarm.heterogeneous_population import initialise
from swarm.heterogeneous_state import HeterogeneousState
from swarm.systems import System
from tests.flows.searches import records_url


@dataclass(frozen=True)
class SearchedSystems:
    """A finished run: its configuration, runs folder and summary."""

    config: HeterogeneousSwarmsConfig
    runs: Path
    summary: dict[str, Any]

    def again(self, name: str = "again") -> HeterogeneousSwarmsConfig:
        """Return the configuration of a run that differs by its name alone."""
        return self.config.model_copy(update={"name": name})

    def copied(self, runs: Path) -> Path:
        """Copy records and task results, and no run's folder, into `runs`."""
        shutil.copytree(self.runs / ".swarm", runs / ".swarm")
        return runs

    def states(self) -> list[HeterogeneousState]:
        """Return the recorded iterations."""
        with Records(records_url(self.runs)) as records:
            result = records.iterations(self.config.name)
        return [HeterogeneousState.from_json(item.state) for item in result]

    def without_flow(self) -> HeterogeneousState:
        """Return the last state of the search, from the recorded utilities and the algorithm alone."""
        inputs = prepare(self.config, Settings())
        n, seed = self.config.nodes(len(inputs.bases)), self.config.seed
        parameters = self.config.search.parameters(n)
        nodes = SystemTemplate(inputs.bases, self.config.space, tuple(self.config.roles) or ("",) * n)
        with Records(records_url(self.runs)) as records:
            links = records.run_evaluations(self.config.name, Purpose.SEARCH)
        # A system may be evaluated in several batches, which may round differently: each iteration's own counts.
        utility = {(u.iteration, System.from_json(u.evaluation.recipe).key): u.evaluation.utility for u in links}
        state = initialise(parameters, seed, len(inputs.bases))
        while True:
            systems = graph_systems(state, nodes)
            state = heterogeneous.tell_graphs(parameters, state, [utility[state.iteration, s.key] for s in systems])
            systems = model_systems(parameters, seed, state, nodes)
            scores = [utility[state.iteration, s.key] for s in systems]
            state = heterogeneous.tell_models(parameters, seed, state, scores)
            if heterogeneous.stop_reason(parameters, state) is not None:
                return state
            state = heterogeneous.ask(parameters, seed, state)


def call_systems(config: HeterogeneousSwarmsConfig) -> FlowState[Any]:
    """Run the flow; return the state it ended in."""
    from flows.heterogeneous_swarms import heterogeneous_swarms

    outcome: FlowState[Any] = heterogeneous_swarms(config, return_state=True)
    return outcome
