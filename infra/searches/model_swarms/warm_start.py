"""Read the particles of an earlier run, for a search that goes on from it."""

from collections.abc import Sequence
from dataclasses import dataclass

from infra.records.store import Records
from infra.records.values import RunRecord
from infra.settings import Settings
from swarm.canonical import content_hash
from swarm.errors import InputError
from swarm.recipes import BASE, Space
from swarm.state import State

ALGORITHM = "model-swarms"


@dataclass(frozen=True)
class WarmStart:
    """The personal bests of an earlier run.

    Attributes:
        run: its name.
        positions: the coefficients, a particle a row [N', n], the columns as in the new run; the global best first.

    """

    run: str
    positions: tuple[tuple[float, ...], ...]

    @property
    def sha256(self) -> str:
        """The content hash of the positions."""
        return content_hash([list(row) for row in self.positions])


def read_warm_start(
    name: str, settings: Settings, base: str, names: Sequence[str], ids: Sequence[str], space: Space
) -> WarmStart:
    """Return what the run called `name` found, for a run over the base model and experts with these content hashes.

    Args:
        name: the earlier run.
        settings: where its records are.
        base: the SHA-256 of the new run's base model.
        names: the names of what the new run's coefficients belong to.
        ids: their ids, in the same order.
        space: what the new run combines.

    Raises:
        InputError: there is no such run, it is not finished, or it searched among other experts.

    """
    with Records(settings.records_url) as records:
        run = records.run(name)
        if run.summary is None or run.algorithm != ALGORITHM:
            reason = f"a run of {run.algorithm}" if run.algorithm != ALGORITHM else "not finished"
            raise InputError(f"field 'warm_start': run {name!r} is {reason}: name a finished run of {ALGORITHM}")
        final = State.from_json(records.iterations(name)[-1].state)
    _refuse_others(run, base, dict(zip(names, ids, strict=True)), space)
    bases = _names(run)
    order = [bases.index(name) for name in names]
    return WarmStart(name, tuple(tuple(row[i] for i in order) for row in _best_first(final)))


def _names(run: RunRecord) -> list[str]:
    return [*run.config["experts"], *([BASE] if run.config["include_base"] else [])]


def _best_first(state: State) -> list[list[float]]:
    """Return the personal bests, each once, the best utility first (the first particle wins ties)."""
    order = sorted(
        (-utility, particle) for particle, utility in enumerate(state.personal_best_utilities) if utility is not None
    )
    rows = [state.personal_bests[particle].tolist() for _, particle in order]
    if state.global_best is not None:
        rows.insert(0, state.global_best.coefficients.tolist())
    return [row for index, row in enumerate(rows) if row not in rows[:index]]


def _refuse_others(run: RunRecord, base: str, ids: dict[str, str], space: Space) -> None:
    theirs = {name: run.identity.get(f"expert {name}", BASE) for name in _names(run)}
    for part, old, new in (
        ("the base model", run.identity["base model"][:12], base[:12]),
        ("the space", run.config["space"], space.value),
        ("the experts", sorted(theirs), sorted(ids)),
        ("the experts' weights", sorted(theirs.values()), sorted(ids.values())),
    ):
        if old != new:
            difference = f": {_in_words(old)} there, {_in_words(new)} here" if part != "the experts' weights" else ""
            raise InputError(
                f"field 'warm_start': {part} of run {run.name!r} differ{'' if part.endswith('s') else 's'}"
                f"{difference}: "
                "put them back as they were, or leave warm_start out"
            )


def _in_words(value: str | list[str]) -> str:
    return value if isinstance(value, str) else ", ".join(value)
