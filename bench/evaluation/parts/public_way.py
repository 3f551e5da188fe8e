"""A stand-in for the papers' public code: how a population is evaluated there, in float32 on a CPU.

For every particle its combined adapter is written to disk; the base model is loaded from disk again and the adapter
onto it with PEFT; prompts are padded on the right with the end-of-sequence token, in the data's order and in batches of
10; `generate` gets the token ids alone, so that the padding is read as text. Left out in its favour: the
experts' files are not read again, and the adapter is written once (there it is written by every part of a move).
"""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from bench.evaluation.parts.workloads import World
from data.requests import Generate
from experts.export import export_adapter

BATCH = 10


def evaluate(world: World) -> list[list[str]]:
    """Return the completions [P][R]."""
    with TemporaryDirectory() as folder:
        answers = []
        for index, recipe in enumerate(world.population):
            adapter = Path(folder) / str(index)
            export_adapter(world.basis, recipe, adapter, world.base)
            answers.append(_particle(world, adapter))
        return answers


def _particle(world: World, adapter: Path) -> list[str]:
    base = AutoModelForCausalLM.from_pretrained(world.base.folder, dtype="float32", local_files_only=True)
    model = PeftModel.from_pretrained(base, adapter)
    tokenizer = AutoTokenizer.from_pretrained(world.base.folder, local_files_only=True)
    tokenizer.pad_token, tokenizer.padding_side = tokenizer.eos_token, "right"
    requests = world.requests
    batches = (requests[first : first + BATCH] for first in range(0, len(requests), BATCH))
    return [text for batch in batches for text in _batch(model, tokenizer, batch)]


def _batch(model: Any, tokenizer: Any, requests: Sequence[Generate]) -> list[str]:
    ids = tokenizer([request.prompt for request in requests], return_tensors="pt", padding=True).input_ids
    output = model.generate(input_ids=ids, max_new_tokens=requests[0].max_new_tokens, do_sample=False)
    return [text.strip() for text in tokenizer.batch_decode(output[:, ids.shape[1] :], skip_special_tokens=True)]
