"""The values that the records return: frozen, and without any tie to the database."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class RunStatus(StrEnum):
    """The status of a run. A killed run stays `RUNNING`; its lock says whether a process drives it."""

    RUNNING = "running"
    STOPPED = "stopped"
    """Ended by a stop request; resuming it continues."""
    FAILED = "failed"
    """Ended by an error; resuming it continues from what was finished."""
    FINISHED = "finished"


class Purpose(StrEnum):
    """Why a run made an evaluation."""

    SEARCH = "search"
    STARTING_BEST = "starting_best"
    ENDING_BEST = "ending_best"
    ENSEMBLE = "ensemble"
    PREVIOUS_BEST = "previous_best"
    SCALE = "scale"
    """To measure the scale for the scores of later evaluations."""
    EXPERT = "expert"
    """To find the best initial expert, if the search itself does not evaluate experts alone."""
    COMPONENT = "component"
    """A model of the ending best system, tested alone."""
    CONTRIBUTION = "contribution"
    """The ending best system without one of its nodes."""


@dataclass(frozen=True)
class RunRecord:
    """One run.

    Attributes:
        name: its unique name, also that of its folder.
        algorithm: which search it is.
        status: where it stands.
        config: the resolved configuration.
        identity: what (base, experts, data, engine, …) → content hash; what decides the run besides `config`.
        seed: keys every random draw.
        stop_requested: somebody asked it to end after the iteration under way.
        stopped_by: why it ended (patience, iterations, a request, …); None while it has not.
        error: the message of what made it fail; None where nothing did.
        summary: what `summary.json` holds; None before the end.
        created_at: UTC.
        updated_at: UTC; the last change of the run itself or the last new iteration.

    """

    name: str
    algorithm: str
    status: RunStatus
    config: dict[str, Any]
    identity: dict[str, str]
    seed: int
    stop_requested: bool
    stopped_by: str | None
    error: str | None
    summary: dict[str, Any] | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class IterationRecord:
    """The whole swarm state after one iteration (a few KB of JSON), its SHA-256, and when it was saved (UTC)."""

    iteration: int
    state: dict[str, Any]
    sha256: str
    created_at: datetime


@dataclass(frozen=True)
class EvaluationRecord:
    """One recipe evaluated on one split of one objective.

    Attributes:
        group: the key of the evaluation group it belongs to.
        index: its place in the group, from 0.
        recipe: `Recipe.to_json()`.
        utility: finite; higher is better.
        task_utilities: one an objective's task, finite.
        scores: one an example, finite, tasks one after the other.
        predictions: the parsed answer of each example.
        outputs: the whole completion of each example.

    """

    group: str
    index: int
    recipe: dict[str, Any]
    utility: float
    task_utilities: tuple[float, ...]
    scores: tuple[float, ...]
    predictions: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True)
class EvaluationGroup:
    """The recipes that an engine evaluated together: the unit that a crash may lose.

    Attributes:
        key: the content hash of (recipes, objective, split, engine identity).
        objective: the objective's key.
        split: `dev` or `test`.
        engine: the engine's identity.
        finished: how often the evaluation of this group was finished; more than 1 is work done twice.
        generated_tokens: over all recipes and examples.
        seconds: wall clock of the first time it was finished.
        created_at: UTC.

    """

    key: str
    objective: str
    split: str
    engine: str
    finished: int
    generated_tokens: int
    seconds: float
    created_at: datetime


@dataclass(frozen=True)
class RunEvaluation:
    """Lineage: a run made (or found) `evaluation` for `particle` at `iteration`, for `purpose`."""

    iteration: int
    particle: int
    purpose: Purpose
    evaluation: EvaluationRecord
