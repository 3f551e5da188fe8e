"""One iteration's population in one batch, against the public way: one member at a time, all weights perturbed.

    python -m bench.es.iteration [--population N] [--rows R] [--public-members M]

The public way (arXiv 2509.24372's code, as a stand-in): for every member noise is added to every parameter in place,
all rows are generated as one padded batch by transformers, and the noise is drawn again and subtracted. Its members
cost alike, so M of them are timed and counted N / M times. Both answer the same rows in this process, with one thread.
"""

import json
import time
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from transformers import AutoModelForCausalLM, AutoTokenizer

from bench.machine import console, describe
from data.requests import Generate
from experts.base_models import BaseModel, chat_template, resolve_base_model
from experts.seed_basis import SeedBasis
from infra.engines.config import EngineConfig
from infra.engines.kinds import open_engine
from infra.searches.evolution_strategies.config import ALL_LINEAR
from infra.settings import Settings
from swarm.seeds import BASE_START, Journal, Mode, Perturbation, SeedRecipe, Update

QUESTIONS = Path(__file__).parents[2] / "demo" / "data" / "conciseness.json"
SIGMA = 0.001


def main(
    population: Annotated[int, typer.Option(min=2)] = 32,
    rows: Annotated[int, typer.Option(min=1, help="Prompts that every member answers.")] = 4,
    public_members: Annotated[int, typer.Option(min=1, help="Members timed of the public way.")] = 4,
) -> None:
    """Measure both ways, and print their ratio with the machine's name."""
    torch.set_num_threads(1)
    base = resolve_base_model("smollm2-135m-instruct", Settings().cache)
    chat = chat_template(base)
    asked = json.loads(QUESTIONS.read_text(encoding="utf-8"))["dev"][:rows]
    requests = [Generate(chat([{"role": "user", "content": each["question"]}]), 20) for each in asked]
    ours = _ours(base, requests, population)
    public = _public(base, requests, public_members) * population / public_members
    console.print(describe(1))
    console.print(f"population {population}, {rows} rows of 20 new tokens: one batch {ours:.1f} s, update included")
    console.print(f"the public way {public:.1f} s ({public_members} members timed): {public / ours:.1f} times as long")


def _ours(base: BaseModel, requests: list[Generate], population: int) -> float:
    """Return the seconds of an iteration: the update that leads to it, and its population."""
    kind = Perturbation(Mode.LOW_RANK, 1, tuple(sorted(ALL_LINEAR)))
    engine = open_engine(EngineConfig(device="cpu", workers=1), base, SeedBasis(base, kind))
    engine.run([SeedRecipe.of(BASE_START, kind, Journal())], [requests])
    seeds = tuple(range(1, population // 2 + 1))
    journal = Journal().extend(Update(seeds, tuple(1e-4 * (-1) ** seed for seed in seeds)))
    members = [SeedRecipe.of(BASE_START, kind, journal, seed, sign * SIGMA) for seed in seeds for sign in (1, -1)]
    begun = time.perf_counter()
    engine.run(members, [requests] * len(members))
    taken = time.perf_counter() - begun
    engine.close()
    return taken


def _public(base: BaseModel, requests: list[Generate], members: int) -> float:
    model = AutoModelForCausalLM.from_pretrained(base.folder, dtype="float32", local_files_only=True).eval()
    tokenizer = AutoTokenizer.from_pretrained(base.folder, local_files_only=True)
    tokenizer.pad_token, tokenizer.padding_side = tokenizer.eos_token, "left"
    inputs = tokenizer([request.prompt for request in requests], return_tensors="pt", padding=True)
    begun = time.perf_counter()
    for seed in range(members):
        _add_noise(model, seed, SIGMA)
        model.generate(**inputs, max_new_tokens=requests[0].max_new_tokens, do_sample=False)
        _add_noise(model, seed, -SIGMA)
    return time.perf_counter() - begun


@torch.no_grad()
def _add_noise(model: Any, seed: int, scale: float) -> None:
    for parameter in model.parameters():
        generator = torch.Generator().manual_seed(seed)
        parameter.add_(torch.randn(parameter.shape, generator=generator), alpha=scale)


if __name__ == "__main__":
    typer.run(main)
