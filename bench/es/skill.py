"""Improve an expert whose training ended early by rewards of 0 and 1 alone, and print what several seeds came to.

    python -m bench.es.skill --seeds 3

The expert is trained first, if it is not there (demo/skill/novice.yaml). Held-out dev examples choose the best mean;
the test examples are read once, after each search. The seeds change the search; expert, data and test are the same.
"""

import argparse
import subprocess
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.searches.demo_seeds import run

DEMO = Path(__file__).parents[2] / "demo"
WANTED = 0.1
"""By how much accuracy on test is to rise."""


def main() -> int:
    """Train the expert if need be, run the seeds one after another, and print the table; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3, help="how many seeds, from 0")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="override a field in every run")
    options = parser.parse_args()
    swarm = Path(sys.executable).parent / "swarm"
    subprocess.run([str(swarm), "experts", "train", str(DEMO / "skill" / "novice.yaml")], check=True)
    summaries = [run(DEMO / "skill-from-rewards.yaml", seed, options.set) for seed in range(options.seeds)]
    show(summaries)
    enough = sum(gain(summary) >= WANTED for summary in summaries)
    print(f"accuracy on test up by at least {WANTED:.2f}: {enough}/{len(summaries)}")
    return int(enough < len(summaries))


def gain(summary: dict[str, Any]) -> float:
    """Return by how much the accuracy on test rose."""
    return float(summary["ending_best"]["test"] - summary["starting_best"]["test"])


def show(summaries: list[dict[str, Any]]) -> None:
    """Print one row a seed."""
    columns = ("seed", "held out", "best", "(iteration)", "test", "best", "gain", "95 %, paired", "p", "evaluations")
    table = Table(*columns, "s", box=None)
    for summary in summaries:
        start, end = summary["starting_best"], summary["ending_best"]
        low, high = end["gain_ci95"]
        table.add_row(
            str(summary["seed"]),
            f"{start['dev']:.3f}",
            f"{end['dev']:.3f}",
            str(end["iteration"]),
            f"{start['test']:.3f}",
            f"{end['test']:.3f}",
            f"{gain(summary):+.3f}",
            f"{low:+.3f} to {high:+.3f}",
            f"{end['p_value_vs_starting_best']:.4f}",
            str(summary["evaluations"]),
            f"{summary['wall_seconds']:.0f}",
        )
    Console(width=140).print(table)


if __name__ == "__main__":
    sys.exit(main())
