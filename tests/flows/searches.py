"""What the tests of the flow work with: a finished run, copies of it, and the search computed without a flow."""

import shutil
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from prefect import State as FlowState

from flows.searches import prepare
from infra.records.store import Records
from infra.records.values import Purpose, RunStatus
from infra.searches.model_swarms.config import ModelSwarmsConfig
from infra.settings import Settings
from swarm import pso
from swarm.population import initialise, recipes
from swarm.recipes import Recipe
from swarm.state import State

SMALL = ["search.particles=4", "search.max_iterations=2", "engine.group_size=2", "ensemble=2"]


@dataclass(frozen=True)
class Searched:
    """A finished run: its configuration, runs folder, flow run and summary."""

    config: ModelSwarmsConfig
    runs: Path
    flow_run: UUID
    summary: dict[str, Any]

    def again(self, name: str = "again") -> ModelSwarmsConfig:
        """Return the configuration of a run that differs by its name alone."""
        return self.config.model_copy(update={"name": name})

    def copied(self, runs: Path) -> Path:
        """Copy records and task results, and no run's folder, into `runs`."""
        shutil.copytree(self.runs / ".swarm", runs / ".swarm")
        return runs

    def without_flow(self) -> State:
        """Return the last state of the search, from the recorded utilities and the algorithm alone."""
        parameters, seed = self.config.search.parameters(), self.config.seed
        inputs = prepare(self.config, Settings())
        with Records(records_url(self.runs)) as records:
            links = records.run_evaluations(self.config.name, Purpose.SEARCH)
        utility = {Recipe.from_json(item.evaluation.recipe): item.evaluation.utility for item in links}
        state = initialise(parameters, seed, len(inputs.bases))
        while True:
            expectation = recipes(state, inputs.bases, self.config.space)
            state = pso.tell(parameters, state, [utility[recipe] for recipe in expectation])
            if pso.stop_reason(parameters, state) is not None:
                return state
            state = pso.ask(parameters, seed, state)


def call(config: ModelSwarmsConfig) -> FlowState[Any]:
    """Run the flow; return the state it ended in."""
    from flows.model_swarms import model_swarms

    outcome: FlowState[Any] = model_swarms(config, return_state=True)
    return outcome


def records_url(runs: Path) -> str:
    return f"sqlite:///{runs / '.swarm' / 'records.db'}"


def finished(runs: Path) -> dict[str, int]:
    """Return how often each evaluation group was finished."""
    with Records(records_url(runs)) as records:
        return {group.key: group.finished for group in records.evaluation_groups()}


def status(runs: Path, name: str) -> RunStatus:
    with Records(records_url(runs)) as records:
        return records.run(name).status


def forget_group(runs: Path, key: str) -> None:
    """Delete an evaluation group from the records, as an old backup of the database would lack it."""
    with sqlite3.connect(runs / ".swarm" / "records.db") as database:
        database.execute('DELETE FROM run_evaluations WHERE "group" = ?', [key])
        database.execute('DELETE FROM node_answers WHERE "group" = ?', [key])
        database.execute('DELETE FROM node_requests WHERE "group" = ?', [key])
        database.execute('DELETE FROM evaluations WHERE "group" = ?', [key])
        database.execute("DELETE FROM evaluation_groups WHERE key = ?", [key])
    database.close()
