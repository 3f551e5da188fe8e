"""Rating models on this machine: the base of classifiers and of reward models of every kind."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from experts.base_models import BaseModel as ModelFolder
from infra.engines.gpu.lease import bind
from infra.engines.gpu.leased_engine import visible_gpus
from infra.scorers.model_folders import device_of, dtype_of, not_loadable
from infra.settings import Settings
from swarm.errors import EvaluationError, InputError


class RatingModel:
    """A model and its tokenizer.

    On a GPU it computes in turns with the engines there (`infra.engines.gpu.lease`).
    """

    def __init__(self, model: ModelFolder, device: str, settings: Settings, kind: Any) -> None:
        """Load `model` as a `kind`, a class of transformers' models; code that comes with the model is never run.

        Raises:
            InputError: it can't be loaded so.

        """
        from transformers import AutoTokenizer

        self.name = model.name
        self._device = device_of(device)
        self._lease = None
        if self._device.type == "cuda":
            self._lease = bind(settings.cache / "gpus", visible_gpus(self._device))
            self._device = torch.device("cuda", self._lease.gpu.index)
        try:
            self.tokenizer = AutoTokenizer.from_pretrained(model.folder, local_files_only=True, trust_remote_code=False)
        except (ValueError, OSError, KeyError) as error:
            raise not_loadable(model, error) from error
        self._model = _load(model, self._device, kind)
        if self._model.config.pad_token_id is None:
            self._model.config.pad_token_id = self.tokenizer.pad_token_id or self.tokenizer.eos_token_id or 0

    def close(self) -> None:
        """Release the memory, then the place on the GPU."""
        del self._model
        if self._lease is not None:
            torch.cuda.empty_cache()
            self._lease.close()

    @contextmanager
    def _turn(self, progress: Callable[[int, int], None]) -> Iterator[None]:
        """Hold the GPU, if there is one, during the block; `progress` is called in the wait for it and may raise."""
        if self._lease is None:
            yield
            return
        with self._lease.hold(lambda: progress(0, 1)):
            try:
                yield
            finally:
                torch.cuda.empty_cache()  # the engine may need what this process's allocator would keep


def _load(model: ModelFolder, device: torch.device, kind: Any) -> Any:
    try:
        network, info = kind.from_pretrained(
            model.folder,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            dtype=dtype_of(device),
            output_loading_info=True,
        )
    except (ValueError, OSError, KeyError) as error:
        raise not_loadable(model, error) from error
    if info["missing_keys"]:
        raise InputError(
            f"model {model.name!r} has no weights for {min(info['missing_keys'])}: it is no {_kind_name(kind)} "
            "(transformers would make these up): name one that is"
        )
    with memory_errors(model.name):
        return network.to(device).eval()


def _kind_name(kind: Any) -> str:
    name: str = kind.__name__
    return {"AutoModelForSequenceClassification": "sequence classification model"}.get(name, name)


@contextmanager
def memory_errors(name: str) -> Iterator[None]:
    """Raise `EvaluationError`, which names the model `name`, where the GPU has too little memory."""
    try:
        yield
    except torch.cuda.OutOfMemoryError as error:
        raise EvaluationError(
            f"model {name!r} found too little GPU memory for rating: lower engine.cache_gib, or set its device: cpu"
        ) from error
