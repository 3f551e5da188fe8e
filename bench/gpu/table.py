"""The table of bench.gpu.population: ratios first, then rates and memory."""

from dataclasses import dataclass
from statistics import median

from bench.evaluation.parts.arithmetic import Shapes
from bench.gpu.ways import Timed
from bench.gpu.world import Load
from swarm.recipes import Space

GIB = 1 << 30

Ours = dict[tuple[str, int, str], Timed]
"""By rows, population and space: results are the new tokens [P][R]."""

Peft = dict[str, tuple[int, Timed]]
"""By rows: the batch size, and what one adapter took."""


@dataclass(frozen=True)
class Row:
    """One line of the table; rates are medians of `rounds`, and a token is one that was read or made.

    Attributes:
        utilisation: share of the measured matrix-product rate that the needed operations are done at.
        faster_than_peft: tokens a second over those of PEFT, adapter by adapter.
        adapters_cost: seconds over those of the bare model on as many rows; None where that was not measured.

    """

    shape: str
    load: str
    population: int
    space: str
    faster_than_peft: float | None
    adapters_cost: float | None
    utilisation: float
    tokens_per_second: float
    peft_tokens_per_second: float | None
    peft_batch: int | None
    peak_gib: float
    peft_peak_gib: float | None
    rounds: int


def row(
    name: str, load: Load, key: tuple[str, int, str], ours: Timed, bare: Ours, peft: Peft, shapes: Shapes, rate: float
) -> Row:
    """Put one line together."""
    _, size, space = key
    prompts, seconds = [len(request.prompt) for request in load.requests()], median(ours.seconds)
    tokens = size * sum(prompts) + sum(map(sum, ours.result))
    without = bare.get((load.name, size, str(Space.FACTORS)))
    batch, alone = peft.get(load.name, (None, None))
    peft_rate = None if alone is None else (sum(prompts) + load.rows * load.new) / median(alone.seconds)
    return Row(
        shape=name,
        load=load.name,
        population=size,
        space=space,
        faster_than_peft=None if peft_rate is None else tokens / seconds / peft_rate,
        adapters_cost=None if without is None else seconds / median(without.seconds),
        utilisation=shapes.population(prompts, ours.result) / seconds / rate,
        tokens_per_second=tokens / seconds,
        peft_tokens_per_second=peft_rate,
        peft_batch=batch,
        peak_gib=ours.peak / GIB,
        peft_peak_gib=None if alone is None else alone.peak / GIB,
        rounds=len(ours.seconds),
    )


def table(rows: list[Row], title: str) -> str:
    """Return the markdown for docs/performance.md."""
    heads = (
        "model | rows | population | space | ÷ PEFT | × bare | utilisation | tokens/s | PEFT tokens/s (batch) | "
        "peak GiB | PEFT peak GiB | rounds"
    )
    lines = [title, "", f"| {heads} |", "|---" * (heads.count("|") + 1) + "|"]
    lines += [
        f"| {r.shape} | {r.load} | {r.population} | {r.space} | {_shown(r.faster_than_peft, '.1f')} | "
        f"{_shown(r.adapters_cost, '.2f')} | {r.utilisation:.0%} | {r.tokens_per_second:,.0f} | "
        f"{_shown(r.peft_tokens_per_second, ',.0f')} ({r.peft_batch or '–'}) | {_shown(r.peak_gib or None, '.1f')} | "
        f"{_shown(r.peft_peak_gib or None, '.1f')} | {r.rounds} |"
        for r in rows
    ]
    return "\n".join(lines)


def _shown(value: float | None, style: str) -> str:
    return "–" if value is None else format(value, style)
