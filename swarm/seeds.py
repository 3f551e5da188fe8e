"""Recipes of seeds: the weights of an evolution strategies search (docs/algorithms.md §3).

θ_t is the start plus a list of (seed, coefficient) pairs, so a search of a thousand iterations is a journal of
kilobytes that replays to the exact weights. A member of a population is θ_t with one more pair.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from swarm.canonical import content_hash
from swarm.recipes import BASE, Recipe, Space

BASE_START = Recipe((BASE,), (1.0,), Space.FACTORS)
"""The start of a search from the base model itself."""


class Mode(StrEnum):
    """Which numbers θ is, and what their noise looks like."""

    FULL = "full"
    """All parameters; ε_k = N(0, I)."""
    ADAPTER = "adapter"
    """The factors of a LoRA adapter; ε_k = N(0, I)."""
    LOW_RANK = "low_rank"
    """The matrices of the target modules; ε_k = A_k B_kᵀ / √r (EGGROLL): a member is a rank-r adapter on θ."""


@dataclass(frozen=True)
class Perturbation:
    """The meaning of a seed: the noise of one search.

    Attributes:
        mode: which numbers are perturbed.
        rank: r of `LOW_RANK`'s noise, or of `ADAPTER`'s adapter where it starts from the base model; 0 in `FULL`.
        targets: last parts of the names of the Linear modules that are perturbed or adapted; none in `FULL`.
        correlated: tensors of one shape get the same noise, as in the public code.

    """

    mode: Mode
    rank: int
    targets: tuple[str, ...]
    correlated: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return this as plain JSON."""
        return {
            "mode": self.mode.value,
            "rank": self.rank,
            "targets": list(self.targets),
            "correlated": self.correlated,
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Perturbation":
        """Read what `to_json` wrote."""
        return cls(Mode(value["mode"]), value["rank"], tuple(value["targets"]), value["correlated"])


@dataclass(frozen=True)
class Update:
    """One step of θ: θ ← θ_0 + keep · (θ − θ_0) + Σ_k c_k ε_k.

    Attributes:
        seeds: of the noises ε_k; all different.
        coefficients: c_k, one a seed; finite.
        keep: what is kept of the way from the start, 1 − weight decay.

    """

    seeds: tuple[int, ...]
    coefficients: tuple[float, ...]
    keep: float = 1.0

    def __post_init__(self) -> None:
        if len(self.seeds) != len(self.coefficients) or len(set(self.seeds)) != len(self.seeds):
            raise ValueError(f"{len(self.seeds)} seeds (of {len(set(self.seeds))}), {len(self.coefficients)} numbers")

    def to_json(self) -> dict[str, Any]:
        """Return this as plain JSON."""
        return {"seeds": list(self.seeds), "coefficients": list(self.coefficients), "keep": self.keep}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Update":
        """Read what `to_json` wrote."""
        return cls(tuple(value["seeds"]), tuple(map(float, value["coefficients"])), float(value["keep"]))


NO_UPDATES = content_hash([])
"""The id of the empty journal."""


def extend_id(journal: str, update: Update) -> str:
    """Return the id of the journal of the id `journal` with `update` after it."""
    return content_hash([journal, update.to_json()])


@dataclass(frozen=True, eq=False)
class Journal:
    """Every update of a search so far, in order; made by `extend` only, so that `id` names exactly `updates`."""

    updates: tuple[Update, ...] = ()
    id: str = NO_UPDATES

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Journal) and self.id == other.id

    def __hash__(self) -> int:
        return hash(self.id)

    def extend(self, *updates: Update) -> "Journal":
        """Return this journal with `updates` after it."""
        journal = self
        for update in updates:
            journal = Journal((*journal.updates, update), extend_id(journal.id, update))
        return journal

    def first(self, count: int) -> "Journal":
        """Return the journal of the first `count` updates."""
        return self if count >= len(self.updates) else Journal().extend(*self.updates[:count])

    def prefix(self, identity: str) -> "Journal":
        """Return the journal of the id `identity` that this one is, or begins with; `LookupError` if there is none."""
        journal = Journal()
        for update in self.updates:
            if journal.id == identity:
                break
            journal = journal.extend(update)
        if journal.id != identity:
            raise LookupError(f"no journal {identity[:12]}… leads to {self.id[:12]}…")
        return journal

    def after(self, earlier: "Journal") -> tuple[Update, ...] | None:
        """Return the updates that come after `earlier`, or None if this journal does not begin with it."""
        length = len(earlier.updates)
        begins = self.updates[:length] == earlier.updates
        return self.updates[length:] if begins else None


@dataclass(frozen=True)
class SeedRecipe(Recipe):
    """The weights of one member of a population, or of its mean: what it starts from as a recipe, then seeds.

    Attributes:
        bases, coefficients, space: θ_0: the base model, or a combination of experts.
        perturbation: what seeds mean.
        journal: every update from θ_0 to θ_t.
        seed: of the member's noise ε; None for the mean θ_t itself.
        scale: the member is θ_t + scale · ε; σ, or −σ for the mirrored one of a pair, 0 for the mean.

    """

    perturbation: Perturbation
    journal: Journal
    seed: int | None = None
    scale: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.seed is None) != (self.scale == 0):
            raise ValueError(f"seed {self.seed} with scale {self.scale}: the mean has neither, a member both")

    @property
    def start(self) -> Recipe:
        """The recipe of θ_0."""
        return Recipe(self.bases, self.coefficients, self.space)

    def to_json(self) -> dict[str, Any]:
        """Return this recipe as plain JSON; the journal, which may be long, by its id and length."""
        return {
            "start": self.start.to_json(),
            "perturbation": self.perturbation.to_json(),
            "journal": self.journal.id,
            "updates": len(self.journal.updates),
            "seed": self.seed,
            "scale": self.scale,
        }

    @classmethod
    def of(
        cls, start: Recipe, perturbation: Perturbation, journal: Journal, seed: int | None = None, scale: float = 0.0
    ) -> "SeedRecipe":
        """Return the member θ_t + scale · ε(seed), or the mean θ_t, of a search from `start`."""
        return cls(start.bases, start.coefficients, start.space, perturbation, journal, seed, scale)

    @classmethod
    def read(cls, value: dict[str, Any], journal: Journal) -> "SeedRecipe":
        """Read what `to_json` wrote; `journal` is the one that it names, or a later one of the same search.

        Raises:
            LookupError: `journal` is of another search.

        """
        named_journal = journal.first(value["updates"])
        if named_journal.id != value["journal"]:
            raise LookupError(f"a recipe names journal {value['journal'][:12]}…, which is not the one at hand")
        start, perturbation = Recipe.from_json(value["start"]), Perturbation.from_json(value["perturbation"])
        return cls.of(start, perturbation, named_journal, value["seed"], float(value["scale"]))
