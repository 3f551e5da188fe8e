"""Convert documents of an lm-eval task to examples of this project."""

from typing import Any

from data.data_file import RawExample
from data.examples import Split
from data.harness.tasks import Document, HarnessTask
from swarm.errors import InputError

DOCUMENT, TEXT, CONTINUATIONS, GENERATION = "document", "text", "continuations", "generation"
"""The keys of an example's `extra`: the document, the whole prompt, and the continuations or generation settings."""


def raw_examples(task: HarnessTask, split: Split, documents: list[Document]) -> list[RawExample]:
    """Return `documents` as examples of `split`, whose prompts are lm-eval's own.

    Raises:
        InputError: a document asks more than one prompt, or what can't be asked.

    """
    examples = []
    for index, (document, context) in enumerate(zip(documents, task.contexts(documents), strict=True)):
        try:
            examples.append(RawExample(split, index, _value(task, document, context)))
        except InputError as error:
            raise InputError(f"task {task.name!r}: {split}[{index}] {error}") from error
    return examples


def _value(task: HarnessTask, document: Document, context: Any) -> dict[str, Any]:
    instances = task.instances(document, context)
    if not isinstance(context, str) or {instance.args[0] for instance in instances} != {context}:
        raise InputError("is asked by several prompts, which can't be done here: choose another task")
    question = task.task.doc_to_text(document)
    value: dict[str, Any] = {"prompt": question if question.strip() else context, DOCUMENT: document, TEXT: context}
    if task.output_type == "generate_until":
        return value | {GENERATION: instances[0].args[1]}
    continuations = [instance.args[1] for instance in instances]
    if not all(isinstance(text, str) for text in continuations):
        raise InputError(f"has the continuations {continuations!r}, which are no texts: choose another task")
    if len(continuations) == 1:
        return value | {CONTINUATIONS: continuations, "answer": continuations[0]}
    choices = {str(key): text for key, text in enumerate(continuations)}
    return value | {CONTINUATIONS: continuations, "choices": choices, "answer": _right(task, document, choices)}


def _right(task: HarnessTask, document: Document, choices: dict[str, str]) -> str:
    """Return the key of the right choice, the first if there are several; lm-eval's own scoring does not use it."""
    target = task.task.doc_to_target(document)
    first = target[0] if isinstance(target, list) else target
    texts = task.task.doc_to_choice(document)
    return str(texts.index(first) if isinstance(first, str) and first in texts else first)
