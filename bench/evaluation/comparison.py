"""The evaluation benchmark: a population's evaluation against other ways of doing it, and against the machine.

    python -m bench.evaluation.comparison [--data FOLDER] [--only ROW …] [--rounds R] [--public-rounds R]
                                          [--json FILE] [--quick]

Every row is measured in this run, on one thread, in processor time (a neighbour's work changes it little), each way
in a process of its own and in turn. `--data` names a folder with the papers' sets (mmlu.json, gsm8k.json,
nlgraph.json); with the demo's data other workloads stand in, for which nothing is to be reached.
"""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

os.environ |= {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}  # before torch

import typer

from bench.evaluation.parts import exactness, memory, multi_lora, speed, speed_figures, step, swap, vllm
from bench.evaluation.parts.figures import Figure, at_least, table
from bench.evaluation.parts.workloads import DEMO, Workload, workloads
from bench.machine import Quick, console, describe

OTHERS = ("multi-lora", "exactness", "memory", "swap", "step", "vllm")


def measured(data: Path, rounds: int, public_rounds: int, quick: bool, only: set[str]) -> Iterator[Figure]:
    """Yield the figures of the rows in `only`."""
    loads, missing = workloads(data, quick)
    for load in missing:
        name = f"{load.name} against the other ways"
        if load.name in only:
            yield at_least(load.name, name, None, "×", load.reach[0], f"needs {load.file}: make bench DATA=FOLDER")
    for load in loads:
        if load.name in only:
            yield from speed_figures.figures(speed.measure(load, data, rounds, public_rounds, console.log), data)
    yield from others(loads, data, rounds, quick, only)


def others(loads: list[Workload], data: Path, rounds: int, quick: bool, only: set[str]) -> Iterator[Figure]:
    """Yield the figures of `OTHERS` that are in `only`."""
    if "multi-lora" in only:
        yield from multi_lora.figures(loads[:2], data, rounds)
    if "exactness" in only:
        yield exactness.figure(loads, data)
    if "memory" in only:
        yield memory.figure(quick)
    if "swap" in only:
        yield swap.figure(3 * rounds)
    if "step" in only:
        yield from step.figures(rounds)
    if "vllm" in only:
        yield vllm.figure(loads, data, quick)


def main(
    data: Annotated[Path, typer.Option(help="Folder of data files.", exists=True, file_okay=False)] = DEMO / "data",
    only: Annotated[list[str] | None, typer.Option(help=f"A workload's name, or {', '.join(OTHERS)}.")] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Times that everything is measured, in turn.")] = 3,
    public_rounds: Annotated[
        int | None,
        typer.Option(min=1, help="Of them, how many the public way, the slowest, takes part in (if empty: all)."),
    ] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures there too.")] = None,
    quick: Quick = False,
) -> None:
    """Measure and print one table; exit with 1 if a figure misses what is to be reached."""
    machine = describe(1)
    console.print(machine, soft_wrap=True)
    names = {load.name for part in workloads(data, quick) for load in part} | set(OTHERS)
    if unknown := set(only or ()) - names:
        raise typer.BadParameter(f"{unknown.pop()!r} is no row: use {', '.join(sorted(names))}", param_hint="--only")
    figures: list[Figure] = []
    rounds = 1 if quick else rounds
    for figure in measured(data, rounds, public_rounds or rounds, quick, set(only or names)):
        figures.append(replace(figure, limit=None) if quick else figure)
        console.log(f"{figure.name}: {figure.measured}")
        if json_file is not None:  # after each figure: an interrupted run keeps what it measured
            _save(json_file, machine, figures)
    console.print(table(figures, f"{machine}; load at the end {os.getloadavg()[0]:.1f}"))
    for figure in figures:
        console.print(f"{figure.name}: {figure.detail}", soft_wrap=True, highlight=False)
    raise typer.Exit(int(any(figure.reached is False for figure in figures)))


def _save(file: Path, machine: str, figures: Sequence[Figure]) -> None:
    rows = [asdict(figure) | {"reached": figure.reached} for figure in figures]
    file.write_text(json.dumps({"machine": machine, "figures": rows}, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
