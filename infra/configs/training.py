"""The file that says how an expert is trained, and the examples that it names."""

from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel as Schema
from pydantic import BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator

from data.data_file import MOST_BYTES
from data.examples import Example, InvalidExample, parse_example, require_answer
from data.long_context import whole_context
from data.placeholders import (
    CONTEXT,
    OWN_NAMES,
    QUESTION,
    fill,
    placeholder_names,
    require_fields,
    require_known,
    require_placeholders,
    unknown_placeholder,
)
from experts.files import read_json
from experts.training_config import Source, TrainingConfig
from infra.files.run_folder import check_run_name
from swarm.canonical import content_hash
from swarm.errors import InputError

ANSWER = "{answer}"
"""The placeholder of a completion."""


def _from_file_folder(value: object, info: ValidationInfo) -> object:
    """Read a relative path as relative to the training file's folder."""
    folder = (info.context or {}).get("folder")
    return Path(folder) / Path(str(value)).expanduser() if folder is not None else value


FilePath = Annotated[Path, BeforeValidator(_from_file_folder)]


class TrainingData(Schema):
    """One origin of training examples."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: FilePath = Field(description='A .json data file with a "train" split; relative to the training file.')
    share: float = Field(
        1.0,
        gt=0,
        le=1e9,
        allow_inf_nan=False,
        description="The share of each batch, relative to the other data's shares.",
    )


class TrainingFile(Schema):
    """How one expert is trained, on what, and where it is put: OUTPUT/NAME."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(description="The expert's name, and that of its folder.")
    output: FilePath = Field(
        Path(), validate_default=True, description="The folder of the expert's folder; relative to the training file."
    )
    base_model: str = Field(description="A folder, a hub id (owner/name), or smollm2-135m-instruct.")
    start: FilePath | None = Field(
        None, description="The folder of an expert to start from; relative to the training file. None: a new adapter."
    )
    training: TrainingConfig = Field(default_factory=TrainingConfig, description="How it is trained.")
    data: list[TrainingData] = Field(min_length=1, description="What it is trained on.")
    template: str = Field(
        "{question}\nAnswer:",
        description="The prompt, with {question}, and {choices}, {context} or any other field of the examples.",
    )
    completion: str = Field(" {answer}", description="What the expert learns to answer, with {answer}.")

    @field_validator("name")
    @classmethod
    def _name_is_a_folder_name(cls, value: str) -> str:
        return check_run_name(value)

    @field_validator("template")
    @classmethod
    def _template_asks(cls, value: str) -> str:
        require_placeholders(value, QUESTION)
        return value

    @field_validator("completion")
    @classmethod
    def _completion_answers(cls, value: str) -> str:
        require_placeholders(value, ANSWER)
        require_known(value, [ANSWER.strip("{}")])
        return value

    @property
    def folder(self) -> Path:
        """Where the expert is put."""
        return self.output / self.name


def in_training_order(files: Mapping[Path, TrainingFile]) -> list[Path]:
    """Return the paths of `files` so that every expert comes after the one that it starts from.

    Raises:
        InputError: an expert starts from itself, or from one that neither exists nor is made by another of the files.

    """
    makers = {file.folder.resolve(): path for path, file in files.items()}
    needs: dict[Path, list[Path]] = {path: [] for path in files}
    for path, file in files.items():
        if file.start is None:
            continue
        if file.start.resolve() in makers:
            needs[path].append(makers[file.start.resolve()])
        elif not file.start.is_dir():
            raise InputError(f"{path}: field 'start': there is no folder {file.start}: train that expert first")
    try:
        return list(TopologicalSorter(needs).static_order())
    except CycleError as error:
        raise InputError(
            f"{error.args[1][0]}: field 'start': this expert starts from itself: start it from another"
        ) from error


def training_sources(file: TrainingFile) -> list[Source]:
    """Read the training examples that `file` names, as prompts and completions.

    A source's content hash is that of its prompts and completions, so another template is another training, and
    another dev or test split of the same file is not.

    Raises:
        InputError: a data file is missing, has no train split, or holds an invalid example.

    """
    return [_source(file, data) for data in file.data]


def _source(file: TrainingFile, data: TrainingData) -> Source:
    examples = read_train_split(data.path)
    _check_template(file.template, data.path, examples)
    pairs = [_pair(file, example) for example in examples]
    return Source(data.path.stem, content_hash(pairs), data.share, pairs)


def _check_template(template: str, path: Path, examples: Sequence[Example]) -> None:
    """Raise `InputError` if an example lacks what `template` names, or all of them do."""
    fields = sorted({field for example in examples for field in example.extra})
    known = [*OWN_NAMES, *(field for field in fields if field not in OWN_NAMES)]
    for name in placeholder_names(template):
        if name and name not in known:
            raise InputError(f"{path}: field 'template' has {unknown_placeholder(name, known)}")
    for example in examples:
        try:
            require_fields(template, example, fields)
        except InvalidExample as error:
            raise InputError(f"{path}: train[{example.index}].{error}") from error


def _pair(file: TrainingFile, example: Example) -> tuple[str, str]:
    context = whole_context(example, None) if CONTEXT in file.template else ""
    return fill(file.template, example, context), file.completion.replace(ANSWER, example.answer)


def read_train_split(path: Path) -> list[Example]:
    """Return the examples of the `train` split of the data file at `path`; the other splits are not looked at.

    Raises:
        InputError: naming the file, the example and the field.

    """
    values = _read_object(path).get("train")
    if not isinstance(values, list) or not values:
        raise InputError(f'{path}: has no "train" split with examples: add one, as `swarm data generate` does')
    return [_example(path, index, value) for index, value in enumerate(values)]


def _example(path: Path, index: int, value: object) -> Example:
    try:
        # An example knows two splits only, those that are scored; its own place is written here.
        example = parse_example(value, path.stem, "dev", index)
        require_answer(example)
    except InvalidExample as error:
        raise InputError(f"{path}: train[{index}].{error}") from error
    return example


def _read_object(path: Path) -> dict[str, Any]:
    try:
        value = read_json(path, MOST_BYTES)
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no such file: check the path") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}): check its permissions") from error
    except ValueError as error:
        raise InputError(f"{path}: not valid JSON ({error}): correct it") from error
    if not isinstance(value, dict):
        raise InputError(f'{path}: holds {type(value).__name__}, not an object: write {{"train": […]}}')
    return value
