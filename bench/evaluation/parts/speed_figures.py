"""What the rounds of a workload come to: ratios, the share of the GEMM rate, and whether the texts are the same."""

from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from transformers import AutoTokenizer

from bench.evaluation.parts.agreement import same_answer
from bench.evaluation.parts.arithmetic import Shapes, shared_length
from bench.evaluation.parts.figures import Figure, at_least
from bench.evaluation.parts.speed import Speed, Timed
from bench.evaluation.parts.workloads import World
from data.requests import Completion


def figures(speed: Speed, folder: Path) -> list[Figure]:
    """Return the figures of one workload."""
    world = World(speed.load, folder)
    tokenizer = AutoTokenizer.from_pretrained(world.base.folder, local_files_only=True)
    return [*_ratios(speed), _share(speed, world, tokenizer), _agreement(speed, world, tokenizer)]


def text_of(tokenizer: Any) -> Callable[[Sequence[int]], str]:
    """Return the function from new tokens to their text, without special tokens."""
    return lambda tokens: str(tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False))


def prediction_of(world: World, row: int) -> Callable[[str], str]:
    """Return the function that reads the answer to a row from a text, as the objective does."""
    case = world.objective.tasks[0].dev[row]
    return lambda text: case.task.prediction(case.example, Completion(text, 0))


def _ratios(speed: Speed) -> list[Figure]:
    load, rounds = speed.load, speed.rounds
    own = median(r.ours.time.seconds for r in rounds)
    size = f"{load.particles} × {load.rows} rows; ours {own:.1f} s"
    others: tuple[tuple[str, Sequence[Timed | None], str], ...] = (
        ("the public way", [r.public for r in rounds], ""),
        ("a resident model", [r.resident for r in rounds], f" in batches of {speed.batch}"),
    )
    made = []
    for (name, times, batches), limit in zip(others, load.reach, strict=True):
        pairs = [(time, r.ours.time) for time, r in zip(times, rounds, strict=True) if time is not None]
        ratios = [theirs.seconds / mine.seconds for theirs, mine in pairs]
        even = median(theirs.operations / mine.operations for theirs, mine in pairs)
        theirs = median(time.seconds for time, _ in pairs)
        detail = (
            f"{size}, theirs {theirs:.1f} s{batches}; rounds {', '.join(f'{ratio:.2f}' for ratio in ratios)}; "
            f"{even:.2f} with each time multiplied by its own GEMM rate"
        )
        made.append(at_least(load.name, f"{load.name} against {name}", median(ratios), "×", limit, detail))
    return made


def _share(speed: Speed, world: World, tokenizer: Any) -> Figure:
    shapes = Shapes.of(world.base.folder, world.basis)
    prompts = [tokenizer(request.prompt)["input_ids"] for request in world.requests]
    shared = shared_length(prompts)
    new = [[completion.tokens for completion in row] for row in speed.rounds[-1].ours.answers]
    lengths = [len(prompt) for prompt in prompts]
    whole = shapes.population(lengths, new)
    once = shapes.population(lengths, new, shared)
    needed = once if speed.load.worked else whole
    shares = [100 * needed / r.ours.time.operations for r in speed.rounds]
    theirs = median(100 * needed / r.resident.operations for r in speed.rounds)
    rate = median(r.ours.time.rate for r in speed.rounds)
    detail = (
        f"{whole / 1e9:.0f} GFLOP, {once / 1e9:.0f} with the {shared} tokens that all prompts begin with read once a "
        f"particle; GEMM {rate / 1e9:.0f} GFLOP/s; rounds {', '.join(f'{share:.1f}' for share in shares)}; the "
        f"resident model's share {theirs:.1f} %"
    )
    name = f"{speed.load.name}: arithmetic needed"
    return at_least(speed.load.name, name, median(shares), " % of GEMM", speed.load.share, detail)


def _agreement(speed: Speed, world: World, tokenizer: Any) -> Figure:
    last, text = speed.rounds[-1], text_of(tokenizer)
    same = [
        same_answer(ours, theirs, text, prediction_of(world, row))
        for particle, others in zip(last.ours.answers, last.resident_tokens, strict=True)
        for row, (ours, theirs) in enumerate(zip(particle, others, strict=True))
    ]
    name = f"{speed.load.name}: same texts as the resident model"
    detail = f"{sum(same)} of {len(same)} rows; padded batches round differently, the exactness row has none"
    return at_least(speed.load.name, name, 100 * sum(same) / len(same), " %", None, detail)
