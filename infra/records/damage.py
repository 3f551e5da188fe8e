"""Find out whether what the records hold is what was saved: by its hashes, whenever it is read."""

import hashlib
import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from infra.records.values import EvaluationRecord
from swarm.canonical import canonical_json, content_hash
from swarm.errors import InputError


class DamagedRecords(InputError):
    """The records hold something that was not saved so."""


class Damage(Exception):
    """A row is not what was saved; the message says which. `Database` makes `DamagedRecords` of it."""


@contextmanager
def damage_in(what: str) -> Iterator[None]:
    """Raise `Damage` if the block can't make a value of a row, which messages call `what`."""
    try:
        yield
    except (TypeError, ValueError, LookupError, struct.error) as error:
        raise Damage(f"{what}: not readable") from error


def require_hash(value: Any, sha256: str | None, what: str) -> None:
    """Raise `Damage` if `sha256` is not the content hash of `value`, which messages call `what`."""
    with damage_in(what):
        is_sound = content_hash(value) == sha256
    if not is_sound:
        raise Damage(f"{what}: not what its hash says")


def require_saved_text(text: str, value: Any, sha256: str, what: str) -> None:
    """Raise `Damage` as `require_hash` does for `value`, which was read from `text`.

    The records save canonical JSON, so `text` itself has the hash, unless another database wrote it its own way: to
    write a large value again takes as long as to read it.
    """
    if hashlib.sha256(text.encode()).hexdigest() != sha256:
        require_hash(value, sha256, what)


def evaluation_hashes(evaluation: EvaluationRecord) -> dict[str, str]:
    """Return the hashes of an evaluation's parts, which may be read apart: utility, scores and answers.

    Group and index are in each of them, so that no part can take the place of another evaluation's.
    """
    group, index = evaluation.group, evaluation.index
    return {
        "utility": utility_hash(group, index, evaluation.recipe, evaluation.utility, evaluation.task_utilities),
        "scores": _scores_hash(group, index, evaluation.scores),
        "answers": content_hash([group, index, evaluation.predictions, evaluation.outputs]),
    }


def utility_hash(
    group: str, index: int, recipe: Mapping[str, Any], utility: float, task_utilities: Sequence[float]
) -> str:
    """Return the hash of what an evaluation came to, without its examples."""
    return content_hash([group, index, recipe, float(utility), _floats(task_utilities)])


def require_parts(now: Mapping[str, str], saved: Mapping[str, str] | None, what: str) -> None:
    """Raise `Damage` if a part's hash `now` is not the one that was `saved` with the evaluation `what`."""
    for part, sha256 in now.items():
        if not isinstance(saved, dict) or saved.get(part) != sha256:
            raise Damage(f"the {part} of {what}: not what its hash says")


def _scores_hash(group: str, index: int, scores: Sequence[float]) -> str:
    """Return a hash of the bits of scores: written as text, a thousand of them would take a hundred times as long."""
    bits = struct.pack(f"<{len(scores)}d", *scores)
    return hashlib.sha256(f"{canonical_json([group, index])}\n".encode() + bits).hexdigest()


def _floats(numbers: Sequence[float]) -> list[float]:
    return [float(number) for number in numbers]
