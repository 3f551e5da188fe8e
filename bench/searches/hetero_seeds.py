"""Run the search for a system with several seeds, and Model Swarms beside it on the same experts, data and tokens.

    python -m bench.searches.hetero_seeds --seeds 5

Prints one table and what it comes to (docs/demo.md). Tokens are all that a run generated, its tests included. Dev
examples choose; test examples are evaluated once, after each search. The seeds change the searches, not the data.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.searches.demo_seeds import run
from infra.records.store import Records
from infra.records.values import Purpose
from infra.settings import Settings
from swarm.heterogeneous_state import HeterogeneousState

DEMO = Path(__file__).parents[2] / "demo"
COLUMNS = (
    *("seed", "best expert", "test", "system", "95 %", "p", "Model Swarms", "C-Gain", "95 %", "tokens", "of M.S."),
    *("share", "calls", "depth", "s", "M.S. s"),
)


@dataclass(frozen=True)
class Seed:
    """One seed's two searches: their summaries, and [iterations] (engine calls, levels of the deepest graph)."""

    system: dict[str, Any]
    rival: dict[str, Any]
    calls: list[tuple[int, int]]

    @property
    def tests(self) -> tuple[float, float, float]:
        """The best expert's, the system's and Model Swarms' utility on test."""
        ended = (self.system["starting_best"], self.system["ending_best"], self.rival["ending_best"])
        return ended[0]["test"], ended[1]["test"], ended[2]["test"]

    @property
    def share(self) -> float:
        """The tokens that the search generated, as a share of those that the public way generates."""
        return float(self.system["saved"]["tokens_made"] / self.system["saved"]["tokens_public"])


def main() -> None:
    """Run the seeds one after another, each search in a process of its own, and print table and figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5, help="how many seeds, from 0")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="override a field in every run")
    options = parser.parse_args()
    seeds = [searched(seed, options.set) for seed in range(options.seeds)]
    show(seeds)
    print("\n".join(figures(seeds)))


def searched(seed: int, overrides: list[str]) -> Seed:
    """Make both searches of one seed; finished ones are not repeated."""
    system = run(DEMO / "heterogeneous-swarms.yaml", seed, overrides)
    return Seed(system, run(DEMO / "relay-model-swarms.yaml", seed, overrides), engine_calls(system["run"]))


def engine_calls(name: str) -> list[tuple[int, int]]:
    """Return, by iteration, how often the search of a run called an engine, and the levels of its deepest graph."""
    with Records(Settings().records_url) as records:
        used = records.run_evaluations(name, Purpose.SEARCH)
        states = [HeterogeneousState.from_json(record.state) for record in records.iterations(name)]
        groups = {(found.iteration, found.evaluation.group) for found in used}
        calls = {group: (records.node_answers(group) or {})["saved"]["engine_calls"] for _, group in groups}
    return [
        (
            sum(calls[group] for at, group in groups if at == state.iteration),
            max(dag.depth for dag in (*state.dags, state.scored_on) if dag is not None),
        )
        for state in states
    ]


def show(seeds: list[Seed]) -> None:
    """Print one row a seed."""
    table = Table(*COLUMNS, box=None)
    for seed in seeds:
        expert, system, rival = seed.tests
        end, gain = seed.system["ending_best"], seed.system["c_gain"]["gain"]
        most = max(seed.calls, key=lambda one: one[0] / one[1])
        table.add_row(
            str(seed.system["seed"]),
            seed.system["starting_best"]["expert"],
            f"{expert:.3f}",
            f"{system:.3f}",
            "–".join(f"{bound:.3f}" for bound in end["test_ci95"]),
            f"{end['p_value_vs_starting_best']:.4f}",
            f"{rival:.3f}",
            f"{gain['mean']:+.3f}",
            f"{gain['low']:+.3f}–{gain['high']:+.3f}",
            str(seed.system["generated_tokens"]),
            str(seed.rival["generated_tokens"]),
            f"{seed.share:.2f}",
            str(most[0]),
            str(most[1]),
            f"{seed.system['wall_seconds']:.0f}",
            f"{seed.rival['wall_seconds']:.0f}",
        )
    Console(width=170).print(table)


def figures(seeds: list[Seed]) -> list[str]:
    """Return what the seeds come to, a line a figure."""
    count = len(seeds)
    tests = [seed.tests for seed in seeds]
    tokens = sum(seed.rival["generated_tokens"] >= seed.system["generated_tokens"] for seed in seeds)
    return [
        f"system above the best expert on test: {sum(system > expert for expert, system, _ in tests)}/{count}",
        f"system at least equal to Model Swarms on test: {sum(system >= rival for _, system, rival in tests)}/{count}",
        f"Model Swarms generated at least as many tokens: {tokens}/{count}",
        f"C-Gain above 0 with its whole interval: {sum(s.system['c_gain']['gain']['low'] > 0 for s in seeds)}/{count}",
        f"tokens generated, as a share of the public way's: {', '.join(f'{seed.share:.2f}' for seed in seeds)}",
        "engine calls at most 2 × depth in every iteration: "
        f"{sum(all(calls <= 2 * depth for calls, depth in seed.calls) for seed in seeds)}/{count}",
        f"longest search for a system: {max(seed.system['wall_seconds'] for seed in seeds):.0f} s",
    ]


if __name__ == "__main__":
    main()
