"""Snapshots of an evolution strategies search: θ after some updates, so that replaying it begins there.

A snapshot says nothing that the journal doesn't. It may be deleted at any time; one that is damaged, or of another
search, is ignored. Its file is safetensors, `000040-<id>.safetensors` (updates, beginning of the journal's id), with
float32 tensors by name and this metadata:

    search    which start and perturbation it belongs to (`experts.seed_basis.SeedBasis.search_id`)
    journal   the id of the journal that leads to it
    weights   the content hash of its tensors (`experts.weights_hash`)
"""

import logging
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from experts.files import new_file_beside, publish_file
from experts.weights_hash import tensor_sha256, weights_sha256
from swarm.errors import InputError
from swarm.seeds import Journal

logger = logging.getLogger(__name__)

SNAPSHOTS_TO_KEEP = 3
"""How many snapshots of a search are kept: those after the most updates."""

_NAME = re.compile(r"(\d{6,})-([0-9a-f]{16})\.safetensors")
_UNFINISHED = re.compile(r"\.(\d{6,})-[0-9a-f]{16}\.safetensors\..+")


class Snapshot:
    """θ after the first `updates` updates of a journal, read from a file that was checked."""

    def __init__(self, updates: int, file: Any) -> None:
        """`file` is an open safetensors file; it stays readable if it is deleted."""
        self.updates = updates
        self._file = file

    def tensor(self, name: str) -> torch.Tensor:
        """Return the tensor called `name`, float32 on the CPU, in memory of its own."""
        tensor: torch.Tensor = self._file.get_tensor(name)  # may be a view of the file
        return tensor.clone()


@dataclass(frozen=True)
class Snapshots:
    """The snapshots of one run.

    Attributes:
        folder: where they lie; it is made when the first is written, if the folder it lies in exists.
        every: a snapshot is due whenever so many more updates were made; 0: none is written, but those there are used.

    """

    folder: Path
    every: int = 0

    def due(self, before: int, updates: int) -> bool:
        """Tell whether a snapshot is to be written after `updates` updates, if `before` of them were made before."""
        return self.every > 0 and before // self.every < updates // self.every

    def nearest(self, search: str, journal: Journal, names: Collection[str], beyond: int = -1) -> Snapshot | None:
        """Return the valid snapshot after the most of `journal`'s updates, more than `beyond`; None if there is none.

        Args:
            search: the id of the search that it has to belong to.
            journal: what leads to the weights that are wanted.
            names: the names of its tensors.
            beyond: so many updates at most are no gain.

        """
        for updates, path in sorted(self._files(), reverse=True):
            if not beyond < updates <= len(journal.updates):
                continue
            try:
                return Snapshot(updates, _open_checked(path, search, journal.first(updates).id, names))
            except (SafetensorError, OSError, InputError) as error:
                logger.warning("snapshot %s is not used, but replayed instead: %s", path, error)
        return None

    def save(self, search: str, journal: Journal, tensors: Mapping[str, torch.Tensor]) -> None:
        """Write a snapshot and delete all but the last `SNAPSHOTS_TO_KEEP`; a failure is only logged.

        Args:
            search: the id of the search that it belongs to.
            journal: what leads to `tensors`.
            tensors: float32, by name.

        """
        updates, files = len(journal.updates), sorted(self._files())
        path = self.folder / f"{updates:06d}-{journal.id[:16]}.safetensors"
        if path.exists() or (len(files) >= SNAPSHOTS_TO_KEEP and updates < files[-SNAPSHOTS_TO_KEEP][0]):
            return
        weights = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        sha256 = weights_sha256((name, tensor_sha256(tensor)) for name, tensor in weights.items())
        try:
            _publish(weights, {"search": search, "journal": journal.id, "weights": sha256}, path)
        except (SafetensorError, OSError, InputError) as error:
            logger.warning("no snapshot is written: %s: %s", path, error)
        self._prune(updates)

    def _files(self) -> list[tuple[int, Path]]:
        """Return (updates, file) of each snapshot."""
        if not self.folder.is_dir():
            return []
        matches = ((_NAME.fullmatch(path.name), path) for path in self.folder.iterdir())
        return [(int(match[1]), path) for match, path in matches if match is not None]

    def _prune(self, updates: int) -> None:
        for _, path in sorted(self._files())[:-SNAPSHOTS_TO_KEEP]:
            path.unlink(missing_ok=True)
        for path in self.folder.glob(".*") if self.folder.is_dir() else ():
            match = _UNFINISHED.fullmatch(path.name)
            if match is not None and int(match[1]) < updates:  # of a killed process: nobody writes older ones any more
                path.unlink(missing_ok=True)


def _open_checked(path: Path, search: str, journal: str, names: Collection[str]) -> Any:
    """Open `path` and check every number in it; raises `InputError` if it is another snapshot."""
    file = safe_open(path, framework="pt", device="cpu")
    metadata = file.metadata() or {}
    for key, value in (("search", search), ("journal", journal)):
        if metadata.get(key) != value:
            raise InputError(f"it is of another {key}")
    if set(file.keys()) != set(names):
        raise InputError("it has other tensors")
    if weights_sha256((name, tensor_sha256(file.get_tensor(name))) for name in names) != metadata.get("weights"):
        raise InputError("its tensors are not those that were written")
    return file


def _publish(weights: dict[str, torch.Tensor], metadata: dict[str, str], path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    temporary = new_file_beside(path)
    try:
        save_file(weights, temporary, metadata=metadata)
        publish_file(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
