"""Whether batches change a token: the engine's population against PEFT, one row at a time."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from bench.evaluation.parts.agreement import same_answer
from bench.evaluation.parts.alone import generated_alone
from bench.evaluation.parts.children import in_child
from bench.evaluation.parts.figures import Figure, at_least
from bench.evaluation.parts.speed import ours
from bench.evaluation.parts.speed_figures import prediction_of, text_of
from bench.evaluation.parts.workloads import Workload, World
from data.requests import Completion
from experts.export import export_adapter


def figure(loads: Sequence[Workload], folder: Path) -> Figure:
    """Compare the first rows of every particle of every workload; the engine evaluates the workloads whole."""
    differences: list[str] = []
    checked = 0
    for load in loads:
        different = in_child(differing, load, folder, in_child(ours, load, folder).answers)
        differences += [f"{load.name} {cell}" for cell in different]
        checked += load.particles * load.checked
    share = 100 * (checked - len(differences)) / checked
    detail = f"{checked - len(differences)} of {checked} rows; differ: {', '.join(differences) or 'none'}"
    return at_least("exactness", "greedy tokens as PeftModel.generate, unbatched", share, " % of rows", 100, detail)


def differing(load: Workload, folder: Path, answers: Sequence[Sequence[Completion]]) -> list[str]:
    """Return which checked cells of `answers` are not what PEFT generates alone, as "particle/row"."""
    world = World(load, folder)
    tokenizer = AutoTokenizer.from_pretrained(world.base.folder, local_files_only=True)
    found = []
    with TemporaryDirectory() as temporary:
        for particle, recipe in enumerate(world.population):
            export_adapter(world.basis, recipe, Path(temporary) / str(particle), world.base)
            base = AutoModelForCausalLM.from_pretrained(world.base.folder, dtype="float32", local_files_only=True)
            model = PeftModel.from_pretrained(base, Path(temporary) / str(particle)).eval()
            for row, request in enumerate(world.requests[: load.checked]):
                alone = generated_alone(model, tokenizer, request)
                if not same_answer(answers[particle][row], alone, text_of(tokenizer), prediction_of(world, row)):
                    found.append(f"{particle}/{row}")
    return found
