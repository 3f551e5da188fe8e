"""Where things are: the one place that reads the environment."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import URL

from swarm.errors import InputError

DEFAULT_LOCK_PATIENCE = 0.1
"""Seconds: whoever only looks whether a run's lock is free holds it for a moment."""


class Settings(BaseSettings):
    """What belongs to this machine or user and not to a run; each field is read from the variable SWARM_FIELD.

    Nothing here may change a result: what does belongs into a run's configuration.
    """

    model_config = SettingsConfigDict(
        env_prefix="SWARM_",
        env_ignore_empty=True,
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        hide_input_in_errors=True,  # a key may stand in the wrong variable
    )

    runs: Path = Field(default=Path("runs"), validate_default=True)
    """The folder of the runs; a relative one is below the current folder. Always absolute once read."""

    database_url: SecretStr | None = None
    """The records' database: sqlite:////folder/records.db or postgresql://user:password@host/name."""

    cache: Path = Field(default=Path("~/.cache/model-swarms"), validate_default=True)
    """The folder of what can be made again: converted base models, downloads, the content hashes of models."""

    verify_hashes: bool = False
    """Whether models are hashed anew (1), though their files did not change since their hashes were kept."""

    lock_patience: float = Field(default=DEFAULT_LOCK_PATIENCE, ge=0, le=604_800)
    """Seconds that a run waits for a process that drives it already, before it is refused."""

    metrics_port: int | None = Field(default=None, ge=1, le=65535)
    """The port of this machine's loopback interface at which Prometheus reads a run's metrics; none if empty."""

    judge_url: str | None = None
    """The OpenAI-compatible endpoint of judges, up to its version: https://HOST/v1, or http://127.0.0.1:8000/v1."""

    judge_api_key: SecretStr | None = None
    """Its key; an endpoint of your own may need none."""

    judge_requests: int = Field(default=8, ge=1, le=1024)
    """So many requests to judges are under way at once."""

    judge_timeout: float = Field(default=60, gt=0, le=86_400, allow_inf_nan=False)
    """Seconds that an answer of a judge may take; a slower one is asked for again."""

    judge_prompt_price: float = Field(default=0, ge=0, le=1e9, allow_inf_nan=False)
    """What a million prompt tokens cost, for the log's figure of what a judge cost."""

    judge_completion_price: float = Field(default=0, ge=0, le=1e9, allow_inf_nan=False)
    """What a million generated tokens cost."""

    perspective_api_key: SecretStr | None = None
    """The key of the Perspective API."""

    perspective_url: str = "https://commentanalyzer.googleapis.com"
    """Where the Perspective API is."""

    perspective_per_second: float = Field(default=1, gt=0, le=1e6, allow_inf_nan=False)
    """Requests a second to the Perspective API at most: what its key allows."""

    serve_key: SecretStr | None = Field(default=None, min_length=16)
    """What clients of `swarm serve` must send; needed where others than this machine can reach it."""

    results: Path | str = Field(default="", validate_default=True)
    """Where Prefect's task results are kept: a folder, or a URL that fsspec knows (s3://bucket/folder); below `runs` if
    empty. Credentials are not part of it: they come from that storage's own environment variables."""

    def __init__(self, **values: Any) -> None:
        """Read the environment, for all fields but those in `values`.

        Raises:
            InputError: a variable's value can't be used; the message names the variable and never the value.

        """
        try:
            super().__init__(**values)
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            name = "_".join(map(str, first["loc"])).upper()
            raise InputError(f"SWARM_{name}: {first['msg']}: correct the variable or unset it") from None

    @field_validator("runs", "cache")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return _absolute_path(value)

    @field_validator("results")
    @classmethod
    def _folder_or_url(cls, value: Path | str, info: ValidationInfo) -> Path | str:
        if value == "":
            return Path(info.data["runs"], ".swarm", "results") if "runs" in info.data else value
        if "://" not in str(value):
            return _absolute_path(Path(value))
        if without_password(str(value)) != str(value):
            raise ValueError("A password is no part of it: the storage reads that from its own environment variables")
        return value

    @property
    def records_url(self) -> URL | str:
        """The URL of the records' database: `database_url`, else a SQLite file below `runs`."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return URL.create("sqlite", database=str(self.runs / ".swarm" / "records.db"))


def _absolute_path(path: Path) -> Path:
    """Raise `ValueError` where `path` begins with a home, or the current folder, that there is not."""
    try:
        return path.expanduser().absolute()
    except RuntimeError as error:
        raise ValueError(f"{error} Set HOME, or give an absolute path") from error
    except FileNotFoundError as error:
        raise ValueError("The current folder was removed: change to another one, or give an absolute path") from error


def without_password(url: str) -> str:
    """Return `url` as it may be shown: with … instead of a password, and of a query, where one may stand, too."""
    try:
        parts = urlsplit(url)
        user, has_user, host = parts.netloc.rpartition("@")
    except ValueError:
        return "…"
    if "@" in url and not parts.netloc:  # whatever it is
        return "…"
    name, has_password, _ = user.partition(":")
    shown = f"{name}:…" if has_password else name
    return parts._replace(
        netloc=f"{shown}{has_user}{host}", query="…" if parts.query else "", fragment="…" if parts.fragment else ""
    ).geturl()
