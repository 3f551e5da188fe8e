"""Every kind of objective, asked of one of the demo's experts: utility on 20 examples, and processor seconds.

    python -m bench.evaluation.objectives                   # the table in docs/objectives.md (Markdown)
    python -m bench.evaluation.objectives --data FOLDER     # over the papers' data sets in FOLDER instead

The judge is SmolLM2 behind a server of its own (bench.evaluation.judge_server); the classifier and the reward model are
real models of random weights, made on the spot: what they say means nothing, what it costs does.
"""

import argparse
import tempfile
import time
from contextlib import closing
from pathlib import Path

from bench.evaluation.judge_server import judge_server
from bench.evaluation.objective_table.made import DEMO, make_data, make_rater
from bench.evaluation.objective_table.rows import Row, own_rows, public_rows
from data.objective_config import ObjectiveConfig
from experts.base_models import BaseModel, resolve_base_model
from experts.basis import Basis, FullBasis, load_basis
from infra.engines.base import Engine
from infra.engines.config import EngineConfig
from infra.engines.kinds import engine_identity, open_engine
from infra.evaluation.evaluator import Evaluator, initial_recipes, open_objective
from infra.evaluation.recipes import RecipeGroup
from infra.records.store import Records
from infra.scorers.open_scorers import Scorers
from infra.settings import Settings

EXPERTS, BASE = ("generalist", "picking"), "smollm2-135m-instruct"
"""The first is asked; both set the scale of rewards."""


def main() -> None:
    """Evaluate every row and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, default=20, help="test examples a row")
    parser.add_argument("--data", type=Path, help="a folder with the papers' data sets (`swarm data pull`)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = _rows(Path(folder), arguments.data)
        base = resolve_base_model(BASE, Settings().cache)
        basis = load_basis([DEMO / "experts" / name for name in EXPERTS], base)
        with (
            judge_server(base, EngineConfig()) as url,
            closing(open_engine(EngineConfig(), base, basis)) as engine,
        ):
            settings = Settings(judge_url=url, judge_requests=1, judge_timeout=600, cache=Path(folder) / "cache")
            print("| kind | settings | utility | seconds |\n|---|---|---|---|")
            for row in rows:
                utility, seconds = evaluated(row, arguments.examples, engine, base, basis, settings)
                print(f"| `{row.task['kind']}` | {row.about} | {utility:.3f} | {seconds:.1f} |", flush=True)


def _rows(folder: Path, data: Path | None) -> list[Row]:
    base = resolve_base_model(BASE, Settings().cache).folder
    classifier = make_rater(folder / "classifier", base, ["harmless", "toxic"])
    rewarder = make_rater(folder / "rewarder", base, ["reward"])
    if data is not None:
        return list(public_rows(data.absolute(), classifier, rewarder, BASE))
    make_data(folder)
    return list(own_rows(folder, classifier, rewarder, BASE))


def evaluated(
    row: Row, examples: int, engine: Engine, base: BaseModel, basis: Basis | FullBasis, settings: Settings
) -> tuple[float, float]:
    """Return the first expert's utility on test examples, and the processor seconds of all that it took."""
    start = time.process_time()
    task = {"dev": 5, "test": examples, "name": row.task["kind"], **row.task}
    config = ObjectiveConfig.model_validate({"tasks": [task], "allow_overlap": True})
    with tempfile.TemporaryDirectory() as folder, closing(Scorers(settings)) as scorers:
        objective = open_objective(config, base, settings)
        initial = initial_recipes(basis)
        with Records(f"sqlite:///{folder}/records.db") as records:
            identity = engine_identity(EngineConfig(), base)
            evaluator = Evaluator(
                objective, identity, initial, lambda *call: (engine.run(*call), 0.0), scorers, records
            )
            [record] = RecipeGroup.of(initial[:1], "test").evaluate(evaluator)
    return record.utility, time.process_time() - start


if __name__ == "__main__":
    main()
