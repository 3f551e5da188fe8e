"""The whole state of a Heterogeneous Swarms search: two swarms, and what was found (docs/algorithms.md §2)."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Literal

from swarm.arrays import Floats, read_only
from swarm.canonical import content_hash
from swarm.graphs import Dag
from swarm.jfk import Assignment
from swarm.state import State

ModelRows = Literal["positions", "personal_bests"]
"""The models that are put into the nodes: the positions or the personal bests."""


class GraphSwarm(State):
    """The graph particles: positions are adjacencies [n, n] with a zero diagonal, flattened to [G, n²]."""

    POSITION_SUM: ClassVar[float | None] = None
    VELOCITY_SUM: ClassVar[float | None] = None


@dataclass(frozen=True)
class Trial:
    """One assignment of models to the nodes of the graph that scores them.

    Attributes:
        models: whether the models' positions or their personal bests are assigned.
        assignment: [n], the number of the model in each node.
        utility: of the system.

    """

    models: ModelRows
    assignment: Assignment
    utility: float

    def to_json(self) -> dict[str, Any]:
        """Return this as plain JSON."""
        return {"models": self.models, "assignment": list(self.assignment), "utility": self.utility}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Trial":
        """Read what `to_json` wrote."""
        return cls(value["models"], tuple(value["assignment"]), float(value["utility"]))


@dataclass(frozen=True, eq=False)
class BestSystem:
    """The system with the highest utility that was ever evaluated.

    Attributes:
        dag: its graph.
        assignment: [n], the number of the model in each node.
        coefficients: [n, m], the model of each node, over the m initial experts; read-only.
        utility: its utility.
        iteration: when it was found.
        step: whether in the evaluation of the graphs or in that of the models.

    """

    dag: Dag
    assignment: Assignment
    coefficients: Floats
    utility: float
    iteration: int
    step: Literal["graphs", "models"]

    def to_json(self) -> dict[str, Any]:
        """Return this as plain JSON."""
        return {
            "dag": self.dag.to_json(),
            "assignment": list(self.assignment),
            "coefficients": self.coefficients.tolist(),
            "utility": self.utility,
            "iteration": self.iteration,
            "step": self.step,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "BestSystem":
        """Read what `to_json` wrote."""
        return cls(
            Dag.from_json(value["dag"]),
            tuple(value["assignment"]),
            read_only(value["coefficients"]),
            float(value["utility"]),
            value["iteration"],
            value["step"],
        )


@dataclass(frozen=True, eq=False)
class HeterogeneousState:
    """One iteration of a search of G graphs and n models grown from m experts.

    Attributes:
        graphs: the graph particles.
        dags: [G], the graph that each was decoded to in this iteration.
        best_dag: the graph of the graphs' global best, as it was decoded when it was found; None before it is told.
        models: the model particles; utilities are JFK-scores.
        scored_on: the graph on which the models' bests and worst were scored; None before the models are told.
        trials: the assignments by which the models of this iteration were scored; () before they are told.
        best: the best system ever evaluated; None before the graphs are told.
        stale: evaluated iterations since `best` last became better.

    """

    graphs: GraphSwarm
    dags: tuple[Dag, ...]
    best_dag: Dag | None
    models: State
    scored_on: Dag | None
    trials: tuple[Trial, ...]
    best: BestSystem | None
    stale: int

    def __post_init__(self) -> None:
        if self.graphs.iteration != self.models.iteration:
            raise ValueError(f"graphs are at iteration {self.graphs.iteration}, models at {self.models.iteration}")
        if len(self.dags) != len(self.graphs.positions):
            raise ValueError(f"{len(self.dags)} decoded graphs for {len(self.graphs.positions)} particles")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, HeterogeneousState) and self.sha256 == other.sha256

    def __hash__(self) -> int:
        return hash(self.sha256)

    @property
    def iteration(self) -> int:
        """The number of the iteration; 0 is the initial population."""
        return self.models.iteration

    @property
    def told(self) -> bool:
        """Whether the utilities of both swarms were told."""
        return self.models.told

    @cached_property
    def sha256(self) -> str:
        """The content hash of this state: equal for equal bits, and only for them."""
        return content_hash(self.to_json())

    def to_json(self) -> dict[str, Any]:
        """Return this state as plain JSON, from which `from_json` makes the same bits again."""
        return {
            "iteration": self.iteration,
            "graphs": self.graphs.to_json(),
            "dags": [dag.to_json() for dag in self.dags],
            "best_dag": None if self.best_dag is None else self.best_dag.to_json(),
            "models": self.models.to_json(),
            "scored_on": None if self.scored_on is None else self.scored_on.to_json(),
            "trials": [trial.to_json() for trial in self.trials],
            "best": None if self.best is None else self.best.to_json(),
            "stale": self.stale,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "HeterogeneousState":
        """Read what `to_json` wrote; `KeyError`, `TypeError` or `ValueError`: `value` is no state."""
        best_dag, scored_on, best = value["best_dag"], value["scored_on"], value["best"]
        return cls(
            graphs=GraphSwarm.from_json(value["graphs"]),
            dags=tuple(map(Dag.from_json, value["dags"])),
            best_dag=None if best_dag is None else Dag.from_json(best_dag),
            models=State.from_json(value["models"]),
            scored_on=None if scored_on is None else Dag.from_json(scored_on),
            trials=tuple(map(Trial.from_json, value["trials"])),
            best=None if best is None else BestSystem.from_json(best),
            stale=value["stale"],
        )
