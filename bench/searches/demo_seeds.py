"""Run the demo with several seeds and print what each search found, on dev and on test, with the paired test.

    python -m bench.searches.demo_seeds --seeds 5

Dev examples choose; test examples are evaluated once, after each search. The seeds change the search, not the data.
"""

import argparse
import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

CONFIG = Path(__file__).parents[2] / "demo" / "model-swarms.yaml"


def main() -> None:
    """Run the seeds one after another, each in a process of its own, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5, help="how many seeds, from 0")
    parser.add_argument("--config", type=Path, default=CONFIG, help="the run's config")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="override a field in every run")
    options = parser.parse_args()
    summaries = [run(options.config, seed, options.set) for seed in range(options.seeds)]
    show(summaries)
    better = sum(s["ending_best"]["test"] > s["starting_best"]["test"] for s in summaries)
    significant = sum(
        s["ending_best"]["test"] > s["starting_best"]["test"] and s["ending_best"]["p_value_vs_starting_best"] < 0.05
        for s in summaries
    )
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    print(f"better on test: {better}/{len(summaries)}; at p < .05: {significant}/{len(summaries)}")
    print(f"peak memory of a run's processes: {peak:.2f} GiB")


def run(config: Path, seed: int, overrides: list[str]) -> dict[str, Any]:
    """Return the summary of one seed's run; a finished one is not repeated."""
    name = f"{config.stem}-seed{seed}"
    command = [str(Path(sys.executable).parent / "swarm"), "run", str(config), "--json"]
    for override in (f"name={name}", f"seed={seed}", *overrides):
        command += ["--set", override]
    summary: dict[str, Any] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    return summary


def show(summaries: list[dict[str, Any]]) -> None:
    """Print one row a seed."""
    columns = ("seed", "best expert", "dev", "test", "found: dev", "test", "95 %", "p", "ensemble test", "iter", "s")
    table = Table(*columns, box=None)
    for summary in summaries:
        start, end, ensemble = summary["starting_best"], summary["ending_best"], summary["ensemble"]
        low, high = end["test_ci95"]
        table.add_row(
            str(summary["seed"]),
            start["expert"],
            f"{start['dev']:.3f}",
            f"{start['test']:.3f}",
            f"{end['dev']:.3f}",
            f"{end['test']:.3f}",
            f"{low:.3f}–{high:.3f}",
            f"{end['p_value_vs_starting_best']:.4f}",
            "–" if ensemble is None else f"{ensemble['test']:.3f}",
            str(summary["iterations"]),
            f"{summary['wall_seconds']:.0f}",
        )
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
