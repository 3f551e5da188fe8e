"""The whole state of an evolution strategies search (docs/algorithms.md §3): a journal's id, not a tensor."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from swarm.canonical import content_hash
from swarm.seeds import NO_UPDATES, Update


@dataclass(frozen=True)
class BestMean:
    """The mean with the highest held-out reward so far: θ of `iteration`, named by its journal's id."""

    iteration: int
    reward: float
    journal: str

    def to_json(self) -> dict[str, Any]:
        """Return this as plain JSON."""
        return {"iteration": self.iteration, "reward": self.reward, "journal": self.journal}


@dataclass(frozen=True)
class EsState:
    """One iteration t of a search, with θ_t as its mean.

    Attributes:
        iteration: t; 0 is the start.
        journal: the id of the journal of the t updates that made θ_t.
        rewards: R_k of each member, in the population's order; empty until told, and in the last iteration.
        update: what the rewards say; None until told, in the last iteration, and where they are all equal.
        held_out: the reward of θ_t on the held-out examples; None where it is not measured (yet).
        best: the best mean measured; None before the first.
        stale: measurements since `best` last became better.
        evaluations: members evaluated so far, the means left out.
        skipped: updates that were left out so far because all rewards were equal.
        told: whether this iteration was told its rewards.

    """

    iteration: int = 0
    journal: str = NO_UPDATES
    rewards: tuple[float, ...] = ()
    update: Update | None = None
    held_out: float | None = None
    best: BestMean | None = None
    stale: int = 0
    evaluations: int = 0
    skipped: int = 0
    told: bool = False

    @cached_property
    def sha256(self) -> str:
        """The content hash of this state; through `journal` it covers every earlier update."""
        return content_hash(self.to_json())

    def to_json(self) -> dict[str, Any]:
        """Return this state as plain JSON, from which `from_json` makes the same bits again."""
        return {
            "iteration": self.iteration,
            "journal": self.journal,
            "rewards": list(self.rewards),
            "update": None if self.update is None else self.update.to_json(),
            "held_out": self.held_out,
            "best": None if self.best is None else self.best.to_json(),
            "stale": self.stale,
            "evaluations": self.evaluations,
            "skipped": self.skipped,
            "told": self.told,
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "EsState":
        """Read what `to_json` wrote; `KeyError`, `TypeError` or `ValueError`: `value` is no state."""
        best, update, held_out = value["best"], value["update"], value["held_out"]
        return cls(
            iteration=value["iteration"],
            journal=value["journal"],
            rewards=tuple(map(float, value["rewards"])),
            update=None if update is None else Update.from_json(update),
            held_out=None if held_out is None else float(held_out),
            best=None if best is None else BestMean(best["iteration"], float(best["reward"]), best["journal"]),
            stale=value["stale"],
            evaluations=value["evaluations"],
            skipped=value["skipped"],
            told=value["told"],
        )
