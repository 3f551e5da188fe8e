"""What a generation step costs beside arithmetic: Python, dispatch and bookkeeping.

A model with the same layers that is 16 times narrower, with a vocabulary of 256, leaves nearly no arithmetic: what a
step of it takes is what the host takes in a step of the real one, which calls the same operators.
"""

from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from bench.evaluation.parts.children import in_child, processor_seconds
from bench.evaluation.parts.figures import Figure, at_most
from bench.evaluation.parts.made import ATTENTION, random_base, random_basis
from bench.evaluation.parts.workloads import base_model, population
from data.requests import Generate
from infra.engines.config import EngineConfig
from infra.engines.kinds import open_engine

PARTICLES, ROWS = 8, 8
SHORT, LONG = 9, 41
"""New tokens of two runs: the difference is so many steps, without prompts and swapping."""
NEVER = ("a stop string that no byte of random weights makes",)


def figures(rounds: int) -> list[Figure]:
    """Return a step's host time, plain and with a stop string, which has every cell's text looked at in every step."""
    full = in_child(step_seconds, 1, rounds, ())
    made = []
    for name, stop in (("", ()), (" with a stop string", NEVER)):
        host = in_child(step_seconds, 16, rounds, stop)
        detail = f"{100 * host / full:.1f} % of a step of SmolLM2's shapes, {1e3 * full:.0f} ms; {PARTICLES} adapters"
        made.append(
            at_most("step", f"a step's host time at batch {PARTICLES * ROWS}{name}", 1e3 * host, " ms", None, detail)
        )
    return made


def step_seconds(narrower: int, rounds: int, stop: tuple[str, ...]) -> float:
    """Return the median processor seconds of a step of a model so many times narrower than SmolLM2."""
    with TemporaryDirectory() as folder:
        base = random_base(base_model(), Path(folder), narrower)
        basis = random_basis(base, 4, 6, ATTENTION)
        recipes = population(basis.ids, PARTICLES)
        engine = open_engine(EngineConfig(device="cpu", threads=1, workers=1, group_size=PARTICLES), base, basis)

    def run(new: int) -> float:
        requests = [Generate(f"prompt {number}", new, stop) for number in range(ROWS)]
        return processor_seconds(lambda: engine.run(recipes, [requests] * len(recipes)))[1]

    run(SHORT)
    return median((run(LONG) - run(SHORT)) / (LONG - SHORT) for _ in range(rounds))
