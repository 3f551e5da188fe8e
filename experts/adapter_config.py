"""Read an adapter's `adapter_config.json` (PEFT's format), and refuse adapters that can't be combined."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from experts.files import read_json
from experts.module_patterns import matches, pattern_problem
from swarm.errors import InputError
from swarm.names import printable

CONFIG = "adapter_config.json"

_Number = TypeVar("_Number", int, float)

MOST_BYTES = 8 << 20
"""The largest configuration: one that names every module of a large model has some 100 KB."""

WITHOUT_EFFECT = frozenset(
    {
        "auto_mapping",
        "base_model_name_or_path",
        "corda_config",  # how training began, as the next three: a base model that it changed is refused by its name
        "ensure_weight_tying",
        "eva_config",
        "exclude_modules",  # the tensors say which modules are adapted
        "inference_mode",
        "layers_pattern",
        "layers_to_transform",
        "loftq_config",
        "lora_dropout",
        "lora_ga_config",
        "megatron_core",
        "peft_version",
        "qalora_group_size",  # read with use_qalora only
        "revision",
        "runtime_config",
        "target_modules",
        "task_type",
        "velora_config",  # of the backward pass
    }
)
"""PEFT's fields that don't change what the adapter's tensors compute."""

REFUSED_IF_SET = frozenset(
    {
        "alora_invocation_tokens",
        "arrow_config",
        "kasa_config",
        "megatron_config",
        "monteclora_config",
        "target_parameters",
        "trainable_token_indices",
        "use_bdlora",
        "use_qalora",
    }
)
"""PEFT's fields that make of the tensors something else than a plain update, unless they are empty or false."""

_INITIALISATIONS = {"true", "false", "none", "gaussian", "eva", "orthogonal"}
"""Those that leave the base model as it is."""
_LONGEST_SHOWN = 80


class LoraConfig(BaseModel):
    """The fields of PEFT's LoRA configuration that decide what the tensors mean."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    peft_type: str = Field(description="Must be LORA.")
    r: int = Field(ge=1, description="The rank of A and B, unless `rank_pattern` says otherwise.")
    lora_alpha: float = Field(description="The update is multiplied by lora_alpha / r.")
    use_rslora: bool = Field(default=False, description="The update is multiplied by lora_alpha / sqrt(r) instead.")
    use_dora: bool = Field(default=False, description="Refused: not a linear update.")
    lora_bias: bool = Field(default=False, description="Refused: not a low-rank update.")
    bias: str = Field(default="none", description="Anything but none is refused.")
    fan_in_fan_out: bool = Field(default=False, description="Refused: only Linear modules can be adapted.")
    modules_to_save: list[str] | None = Field(default=None, description="Refused: whole modules were trained.")
    layer_replication: list[Any] | None = Field(default=None, description="Refused: changes the base model.")
    init_lora_weights: bool | str | None = Field(default=True, description="Those that change the base are refused.")
    rank_pattern: dict[str, int] = Field(default_factory=dict, description="Ranks of modules, by regular expression.")
    alpha_pattern: dict[str, float] = Field(default_factory=dict, description="Alphas, by regular expression.")

    def rank(self, module: str) -> int:
        """Return the declared rank of `module`."""
        return _matching(self.rank_pattern, module, self.r)

    def scaling(self, module: str) -> float:
        """Return what B·A is multiplied by in `module` (Hu et al. 2021, α/r; rsLoRA: α/√r)."""
        rank, alpha = self.rank(module), _matching(self.alpha_pattern, module, self.lora_alpha)
        return alpha / math.sqrt(rank) if self.use_rslora else alpha / rank


def read_lora_config(folder: Path) -> LoraConfig:
    """Read the configuration of the adapter in `folder`.

    Raises:
        InputError: there is none, it can't be read, or it describes something other than a plain LoRA adapter.

    """
    expert, path = folder.name, folder / CONFIG
    try:
        content = read_json(path, MOST_BYTES, allow_infinity=True)
        config = LoraConfig.model_validate(content)
    except FileNotFoundError as error:
        raise InputError(f"expert {expert!r}: {folder} has no {CONFIG}: save it by PEFT's save_pretrained") from error
    except OSError as error:
        raise InputError(f"expert {expert!r}: {path} can't be read ({error.strerror}): copy it again") from error
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or "the file"
        raise InputError(f"expert {expert!r}: {path}: {field}: {first['msg']}: save the adapter again") from error
    except ValueError as error:
        raise InputError(f"expert {expert!r}: {path} is no JSON ({error}): copy the adapter again") from error
    if (reason := _foreign_field(content) or _refusal_reason(config)) is not None:
        raise InputError(f"expert {expert!r}: {path}: {reason}: only plain LoRA adapters can be combined")
    return config


def _foreign_field(content: Mapping[str, Any]) -> str | None:
    """Return what is said of the first field that is set and that is not known to be without effect."""
    known = WITHOUT_EFFECT | LoraConfig.model_fields.keys()
    for name, value in sorted(content.items()):
        if name not in known and not (value is None or value is False or value in ("", [], {})):
            shown = printable(repr(value))
            shown = shown if len(shown) <= _LONGEST_SHOWN else shown[:_LONGEST_SHOWN] + "…"
            why = "changes what the adapter computes" if name in REFUSED_IF_SET else "is not known"
            return f"{printable(name[:_LONGEST_SHOWN])} is {shown}, which {why}"
    return None


def _refusal_reason(config: LoraConfig) -> str | None:
    scalings = [config.lora_alpha, *config.alpha_pattern.values()]
    initialisation = str(config.init_lora_weights).lower()
    reasons = {
        f"peft_type is {config.peft_type}": config.peft_type.upper() != "LORA",
        "use_dora is true": config.use_dora,
        "lora_bias is true": config.lora_bias,
        f"bias is {config.bias!r}": config.bias != "none",
        "fan_in_fan_out is true": config.fan_in_fan_out,
        f"modules_to_save is {config.modules_to_save}": bool(config.modules_to_save),
        "layer_replication is set": bool(config.layer_replication),
        f"init_lora_weights is {initialisation[:_LONGEST_SHOWN]!r}, which changes the base model": (
            initialisation not in _INITIALISATIONS
        ),
        f"lora_alpha is {scalings}": not all(map(math.isfinite, scalings)),
        f"rank_pattern is {config.rank_pattern}": any(rank < 1 for rank in config.rank_pattern.values()),
    }
    reason = next((reason for reason, is_refused in reasons.items() if is_refused), None)
    return (
        reason
        or _pattern_reason("rank_pattern", config.rank_pattern)
        or _pattern_reason("alpha_pattern", config.alpha_pattern)
    )


def _pattern_reason(field: str, patterns: Mapping[str, Any]) -> str | None:
    for pattern in patterns:
        if (problem := pattern_problem(pattern)) is not None:
            return f"{field} is {patterns if len(pattern) < _LONGEST_SHOWN else pattern[:_LONGEST_SHOWN]} ({problem})"
    return None


def _matching(patterns: Mapping[str, _Number], module: str, default: _Number) -> _Number:
    for pattern, value in patterns.items():
        if matches(pattern, module):
            return value
    return default
