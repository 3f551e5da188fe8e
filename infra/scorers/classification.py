"""Sequence classification models on this machine: what classifiers and reward models have in common."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from experts.base_models import BaseModel as ModelFolder
from infra.engines.gpu_lease import bind
from infra.engines.leased import visible_gpus
from infra.scorers.batches import TOKEN_BUDGETS, Tokens, batches, padded
from infra.scorers.models import device_of, dtype_of, not_loadable
from infra.settings import Settings
from swarm.errors import EvaluationError, InputError

_LONGEST = 100_000
"""A tokenizer that claims to take more says nothing."""


class Classification:
    """A model that gives each text one number a label.

    On a GPU it computes in turns with the engines there (`infra.engines.gpu_lease`).
    """

    def __init__(self, model: ModelFolder, device: str, settings: Settings) -> None:
        """Load `model`.

        Raises:
            InputError: it is no sequence classification model, or only its own code could load it.

        """
        from transformers import AutoTokenizer

        self.name = model.name
        self._device = device_of(device)
        self._lease = None
        if self._device.type == "cuda":
            self._lease = bind(settings.cache / "gpus", visible_gpus(self._device))
            self._device = torch.device("cuda", self._lease.gpu.index)
        self.tokenizer = AutoTokenizer.from_pretrained(model.folder, local_files_only=True, trust_remote_code=False)
        self._model = _load(model, self._device)
        if self._model.config.pad_token_id is None:
            self._model.config.pad_token_id = self.tokenizer.pad_token_id or self.tokenizer.eos_token_id or 0

    @property
    def multi_label(self) -> bool:
        """Whether a text may have several labels at once."""
        return str(self._model.config.problem_type) == "multi_label_classification"

    @property
    def longest(self) -> int:
        """The most tokens that the model takes."""
        text = self._model.config.get_text_config()
        limits = [self.tokenizer.model_max_length, getattr(text, "max_position_embeddings", _LONGEST)]
        if text.model_type in ("roberta", "xlm-roberta", "camembert"):
            limits[1] -= 2  # their positions begin after that of padding
        return int(min(limits))

    def logits(
        self, texts: Sequence[Tokens], progress: Callable[[int, int], None], segments: Sequence[Tokens] | None = None
    ) -> torch.Tensor:
        """Return [texts, labels] in float32 on the CPU; `progress` hears (texts done, in all) and may end it.

        The batches, and so the last bits, depend on nothing but the texts. `segments` are the token types of models
        that tell two texts apart.

        Raises:
            EvaluationError: there is not enough memory, or a number is not finite.

        """
        rows: list[torch.Tensor] = [torch.empty(0)] * len(texts)
        done = 0
        with self._turn(progress):
            for batch in batches([len(text) for text in texts], TOKEN_BUDGETS[self._device.type]):
                progress(done, len(texts))
                found = self._forward([texts[i] for i in batch], segments and [segments[i] for i in batch])
                for index, row in zip(batch, found, strict=True):
                    rows[index] = row
                done += len(batch)
        stacked = torch.stack(rows)
        if not bool(torch.isfinite(stacked).all()):
            raise EvaluationError(f"model {self.name!r} rated an answer with a number that is not finite")
        return stacked

    def close(self) -> None:
        """Give back the memory, then the place on the GPU."""
        del self._model
        if self._lease is not None:
            torch.cuda.empty_cache()
            self._lease.close()

    def _forward(self, texts: Sequence[Tokens], segments: Sequence[Tokens] | None) -> torch.Tensor:
        inputs = {
            "input_ids": padded(texts, self._model.config.pad_token_id),
            "attention_mask": padded([[1] * len(text) for text in texts], 0),
        }
        if segments:
            inputs["token_type_ids"] = padded(segments, 0)
        with _memory_errors(self.name), torch.inference_mode():
            answer = self._model(**{name: value.to(self._device) for name, value in inputs.items()})
            logits: torch.Tensor = answer.logits.float().cpu()
            return logits

    @contextmanager
    def _turn(self, progress: Callable[[int, int], None]) -> Iterator[None]:
        """Hold the GPU, if there is one, while the block lasts; in the wait for it `progress` may end it."""
        if self._lease is None:
            yield
            return
        with self._lease.held(lambda: progress(0, 1)):
            try:
                yield
            finally:
                torch.cuda.empty_cache()  # the engine may need what this process's allocator would keep


def _load(model: ModelFolder, device: torch.device) -> Any:
    from transformers import AutoModelForSequenceClassification

    try:
        loaded, info = AutoModelForSequenceClassification.from_pretrained(
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
            f"model {model.name!r} has no weights for {min(info['missing_keys'])}: it is no sequence classification "
            "model (transformers would make these up): name one that is"
        )
    with _memory_errors(model.name):
        return loaded.to(device).eval()


@contextmanager
def _memory_errors(name: str) -> Iterator[None]:
    try:
        yield
    except torch.cuda.OutOfMemoryError as error:
        raise EvaluationError(
            f"model {name!r} found too little GPU memory for rating: lower engine.cache_gib, or set its device: cpu"
        ) from error
