"""The file `system.json`: its schema, and what is checked of one that comes from elsewhere (docs/systems.md)."""

from pathlib import Path, PurePosixPath
from typing import Annotated, Literal, Self

from pydantic import BaseModel as Schema
from pydantic import ConfigDict, Field, StringConstraints, ValidationError, model_validator

from experts.files import read_limited
from infra.configs.systems import SystemConfig
from infra.systems.free_question import QuestionFormat
from swarm.errors import InputError
from swarm.graphs import MAX_NODES, MIN_NODES, Dag
from swarm.names import check_name
from swarm.plain_json import JsonError, parse_json

SYSTEM_FILE = "system.json"
LARGEST = 1 << 20
"""Bytes of a system file: one is some KB, and what is larger is no such file."""

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class _Part(Schema):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class SavedBase(_Part):
    """The base model: what it was called, and its content hash."""

    name: str
    sha256: Sha256


class SavedModel(_Part):
    """A model: its folder below the system's, the SHA-256 of its weights, and for people what it is made of."""

    folder: str
    sha256: Sha256
    space: str
    coefficients: dict[str, float]

    @model_validator(mode="after")
    def _contained(self) -> Self:
        parts = PurePosixPath(self.folder).parts
        if len(parts) != 2 or parts[0] != "models" or parts[1] in (".", "..") or "\\" in self.folder:
            raise ValueError(f"folder {self.folder!r} is not models/NAME")
        check_name(parts[1], "folder")
        return self


class SavedNode(_Part):
    """A node: which of `models` it is, and the instruction that it reads first."""

    model: int = Field(ge=0)
    role: str


class SystemFile(_Part):
    """A whole system but for its weights."""

    format: Literal["model-swarms/system"]
    version: Literal[1]
    base_model: SavedBase
    successor: list[int | None] = Field(min_length=MIN_NODES, max_length=MAX_NODES)
    nodes: list[SavedNode]
    models: list[SavedModel] = Field(min_length=1, max_length=MAX_NODES)
    prompts: SystemConfig
    asking: QuestionFormat = Field(strict=False)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        Dag(tuple(self.successor))
        if len(self.nodes) != len(self.successor):
            raise ValueError(f"{len(self.successor)} nodes have successors, but {len(self.nodes)} have models")
        for number, node in enumerate(self.nodes):
            if node.model >= len(self.models):
                raise ValueError(f"node {number} has model {node.model}, but there are {len(self.models)} models")
        folders = [model.folder for model in self.models]
        if len(set(folders)) < len(folders):
            raise ValueError(f"two models have the same folder: {folders}")
        return self


def read_system_file(folder: Path) -> SystemFile:
    """Read and check the system file in `folder`.

    Raises:
        InputError: it is missing, too large, damaged, of another format or version, or leads out of `folder`.

    """
    path = folder / SYSTEM_FILE
    try:
        size = path.stat().st_size
        if size > LARGEST:
            raise InputError(f"{path} has {size} bytes, more than a system's file can have ({LARGEST}): copy it again")
        content = read_limited(path, LARGEST)
        parse_json(content, LARGEST)
        return SystemFile.model_validate_json(content)
    except JsonError as error:
        raise InputError(f"{path}: not valid JSON ({error}): copy it again, or make the run's best again") from error
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}: copy the whole folder again") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        field = ".".join(map(str, first["loc"])) or "the file"
        raise InputError(f"{path}: {field}: {first['msg']}: copy it again, or make the run's best again") from error
