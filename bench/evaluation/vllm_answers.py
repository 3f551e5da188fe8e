"""Whether vLLM answers as transformers does, and what it costs: run it in the environment of `make install-vllm`.

python -m bench.evaluation.vllm_answers DATA… [--rows R] [--particles P] [--json FILE] [--quick]

SmolLM2-135M in float32 with the demo's experts, one thread each. DATA are files in the papers' format, of multiple
choice or of questions. A row is one prompt answered with one recipe. Where two engines differ, a plain forward pass
(transformers, one row, float32) reads the tokens up to there and says how far apart the logits of the two next tokens
are: rounding decides between tokens that are near.
"""

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import torch
import typer
from rich.table import Table
from transformers import AutoModelForCausalLM, AutoTokenizer

from bench.evaluation.parts.made import ATTENTION, adapter_bytes, random_basis
from bench.evaluation.parts.workloads import DEMO, EXPERTS, base_model, population
from bench.machine import Quick, console, describe
from data.objective import ObjectiveConfig, load_objective
from data.requests import Completion, Generate
from experts.base_models import BaseModel
from experts.basis import Basis, load_basis
from infra.engines.base import Engine
from infra.engines.config import EngineConfig, VllmConfig
from infra.engines.kinds import open_engine
from infra.engines.vllm.adapters import base_weights, merged_weights
from swarm.recipes import Recipe

WANTED, SWAP = 99.0, 0.5
"""Percent of equal rows, and seconds to swap a population in."""

Answers = list[list[Completion]]


@dataclass(frozen=True)
class Difference:
    """One row that the engines answer differently.

    Attributes:
        data: the data file's name.
        particle: the recipe's index.
        row: the prompt's index.
        position: how many tokens are the same.
        gap: the best token's logit less that of the token that one of the engines took instead.

    """

    data: str
    particle: int
    row: int
    position: int
    gap: float


@dataclass(frozen=True)
class Agreement:
    """What the engines did with one data file.

    Attributes:
        data: its name.
        rows: prompts × recipes.
        equal: rows with the same text and number of tokens.
        seconds: the processor seconds of vLLM, then of transformers.

    """

    data: str
    rows: int
    equal: int
    seconds: tuple[float, float]


def main(
    data: Annotated[list[Path], typer.Argument(help="Data files.")],
    rows: Annotated[int, typer.Option(min=1, help="Prompts of each file.")] = 40,
    particles: Annotated[int, typer.Option(min=1, help="Recipes.")] = 2,
    json_file: Annotated[Path | None, typer.Option("--json", help="Also write all figures to this file.")] = None,
    quick: Quick = False,
) -> None:
    """Compare the two engines; exit with 1 if a figure is missed."""
    torch.set_num_threads(1)
    rows, particles, adapters = (3, 2, 3) if quick else (rows, particles, 20)
    base = base_model()
    basis = load_basis([DEMO / "experts" / name for name in EXPERTS], base)
    assert isinstance(basis, Basis)
    recipes = population(basis.ids, particles)
    asked = {path.stem: requests_of(path, rows) for path in data}
    theirs, their_seconds = evaluate(EngineConfig(device="cpu", workers=1), base, basis, recipes, asked)
    ours, our_seconds = evaluate(EngineConfig(kind="vllm", device="cpu"), base, basis, recipes, asked)
    agreements = [
        Agreement(
            name, rows_of(ours[name]), equal_rows(ours[name], theirs[name]), (our_seconds[name], their_seconds[name])
        )
        for name in asked
    ]
    differences = list(explained(base, basis, recipes, asked, ours, theirs))
    swaps = {mode: swap_seconds(mode, base, adapters, 1 if quick else 3) for mode in ("lora", "merged")}
    console.print(describe(threads=1))
    console.print(table(agreements, swaps))
    console.print(differing(differences))
    if json_file:
        plain: dict[str, object] = {
            "agreements": [asdict(agreement) for agreement in agreements],
            "differences": [asdict(difference) for difference in differences],
        }
        json_file.write_text(json.dumps(plain | {"swap_seconds": swaps}, indent=1), encoding="utf-8")
    share = 100 * sum(a.equal for a in agreements) / sum(a.rows for a in agreements)
    if share < WANTED or swaps["lora"] > SWAP:
        raise typer.Exit(1)


def requests_of(path: Path, rows: int) -> list[Generate]:
    """Return the first requests of the dev split of a data file, as an objective would send them."""
    file = json.loads(path.read_text(encoding="utf-8"))
    choice = "choices" in file["dev"][0]
    question = {"kind": "exact_match", "max_new_tokens": 40, "template": "{question}\nAnswer:"}
    task = {"kind": "multiple_choice"} if choice else question
    config = {"tasks": [task | {"data": str(path), "dev": rows, "test": 1}], "allow_overlap": True}
    requests = load_objective(ObjectiveConfig.model_validate(config)).requests("dev")
    return [request for request in requests if isinstance(request, Generate)]


def evaluate(
    config: EngineConfig, base: BaseModel, basis: Basis, recipes: Sequence[Recipe], asked: dict[str, list[Generate]]
) -> tuple[dict[str, Answers], dict[str, float]]:
    """Return the answers and the processor seconds of an engine, by data file."""
    engine: Engine = open_engine(config, base, basis)
    answers: dict[str, Any] = {}
    seconds: dict[str, float] = {}
    engine.run(recipes[:1], [[Generate("once", 2)]])
    for name, requests in asked.items():
        start = time.process_time()
        answers[name] = engine.run(recipes, [requests] * len(recipes))
        seconds[name] = time.process_time() - start
    engine.close()
    return answers, seconds


def rows_of(answers: Answers) -> int:
    """Return the number of rows."""
    return sum(map(len, answers))


def equal_rows(ours: Answers, theirs: Answers) -> int:
    """Return how many rows are the same."""
    return sum(a == b for mine, others in zip(ours, theirs, strict=True) for a, b in zip(mine, others, strict=True))


def explained(
    base: BaseModel,
    basis: Basis,
    recipes: Sequence[Recipe],
    asked: dict[str, list[Generate]],
    ours: dict[str, Answers],
    theirs: dict[str, Answers],
) -> Iterator[Difference]:
    """Yield each row that differs, with the gap between the logits of the two tokens at the first position."""
    tokenizer = AutoTokenizer.from_pretrained(base.folder, local_files_only=True)
    model = AutoModelForCausalLM.from_pretrained(base.folder, dtype=torch.float32, local_files_only=True).eval()
    weights = base_weights(basis.modules, base.folder)
    for particle, recipe in enumerate(recipes):
        model.load_state_dict(dict(merged_weights(basis, recipe, weights)), strict=False)
        for name, requests in asked.items():
            for row, request in enumerate(requests):
                pair = ours[name][particle][row], theirs[name][particle][row]
                if pair[0] != pair[1]:
                    yield Difference(name, particle, row, *first_gap(model, tokenizer, request, pair))


@torch.inference_mode()
def first_gap(model: Any, tokenizer: Any, request: Generate, pair: tuple[Completion, Completion]) -> tuple[int, float]:
    """Follow the model's own choice until an answer of `pair` goes another way; return (position, gap)."""
    prompt: list[int] = tokenizer(request.prompt)["input_ids"]
    generated: list[int] = []
    while len(generated) < request.max_new_tokens:
        logits = model(torch.tensor([prompt + generated])).logits[0, -1]
        order = logits.argsort(descending=True)[:50].tolist()
        fitting = [[token for token in order if fits(tokenizer, [*generated, token], answer)] for answer in pair]
        chosen = [tokens[0] if tokens else order[0] for tokens in fitting]
        if chosen[0] != chosen[1]:
            return len(generated), float(abs(logits[chosen[0]] - logits[chosen[1]]))
        generated.append(chosen[0])
    return len(generated), float("nan")


def fits(tokenizer: Any, tokens: Sequence[int], answer: Completion) -> bool:
    """Tell whether an answer may begin with `tokens`."""
    text = tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    if len(tokens) > answer.tokens:
        return False
    return answer.text.startswith(text) if len(tokens) < answer.tokens else text.startswith(answer.text)


def swap_seconds(mode: str, base: BaseModel, adapters: int, rounds: int) -> float:
    """Return the median wall seconds that a population of adapters of 4 MB takes into vLLM, one way or the other."""
    basis = random_basis(base, 10, 9, ATTENTION)
    assert 4e6 < adapter_bytes(basis) < 4.3e6
    vllm = VllmConfig.model_validate({"adapters": mode})
    engine = open_engine(EngineConfig(kind="vllm", device="cpu", vllm=vllm, group_size=adapters), base, basis)
    recipes = population(basis.ids, adapters)
    engine.run(recipes[:1], [[]])
    seconds = [wall(lambda: engine.run(recipes, [[]] * len(recipes))) for _ in range(rounds)]
    engine.close()
    return median(seconds)


def wall(action: Callable[[], object]) -> float:
    """Return the seconds that `action` takes."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def table(agreements: Sequence[Agreement], swaps: dict[str, float]) -> Table:
    """Return the table of all figures."""
    made = Table("what", "wanted", "measured", "vLLM, processor s", "transformers, processor s")
    for a in agreements:
        share = f"{100 * a.equal / a.rows:.1f} % ({a.equal} of {a.rows})"
        made.add_row(f"same answers, {a.data}", f"≥ {WANTED:g} %", share, *(f"{s:.1f}" for s in a.seconds))
    for mode, seconds in swaps.items():
        made.add_row(f"population swapped in, {mode}", f"≤ {SWAP:g} s" if mode == "lora" else "–", f"{seconds:.2f} s")
    return made


def differing(differences: Sequence[Difference]) -> Table:
    """Return the table of all differences."""
    made = Table("data", "particle", "row", "tokens the same", "logit gap of the two next tokens", title="Differences")
    for d in differences:
        made.add_row(d.data, str(d.particle), str(d.row), str(d.position), f"{d.gap:.2e}")
    return made


if __name__ == "__main__":
    os.environ["HF_HUB_OFFLINE"] = "1"
    typer.run(main)
