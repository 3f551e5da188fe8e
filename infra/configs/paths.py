"""Types of configuration fields that name what lies beside the configuration file."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, ValidationInfo, WithJsonSchema

from infra.files.run_folder import RUN_NAME, check_run_name


def _from_config_folder(value: object, info: ValidationInfo) -> object:
    """Read a relative path as relative to the configuration file's folder."""
    folder = (info.context or {}).get("folder")
    return Path(folder) / value if folder is not None and isinstance(value, str | Path) else value


def _folder_beside_config(value: object, info: ValidationInfo) -> object:
    """Read a base model's name as a folder beside the configuration file, if there is one."""
    folder = (info.context or {}).get("folder")
    beside = Path(folder) / str(value) if folder is not None else None
    return str(beside) if beside is not None and beside.is_dir() else value


ExpertPath = Annotated[Path, BeforeValidator(_from_config_folder)]
BaseModelName = Annotated[str, BeforeValidator(_folder_beside_config)]
RunName = Annotated[str, AfterValidator(check_run_name), WithJsonSchema({"type": "string", "pattern": RUN_NAME})]
"""Checked here with a message for people; the pattern is for the form in Prefect's UI."""
OptionalRunName = RunName | None
