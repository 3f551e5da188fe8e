"""Where things are: the one place that reads the environment."""

from pathlib import Path

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import URL

DEFAULT_LOCK_PATIENCE = 0.1
"""Seconds: whoever only looks whether a run's lock is free holds it for a moment."""


class Settings(BaseSettings):
    """What belongs to this machine or user and not to a run; each field is read from the variable SWARM_FIELD.

    Nothing here may change a result: what does belongs into a run's configuration.
    """

    model_config = SettingsConfigDict(
        env_prefix="SWARM_", env_ignore_empty=True, frozen=True, extra="forbid", use_attribute_docstrings=True
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

    @field_validator("runs", "cache")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @field_validator("results")
    @classmethod
    def _folder_or_url(cls, value: Path | str, info: ValidationInfo) -> Path | str:
        if value == "":
            return Path(info.data["runs"], ".swarm", "results")
        return value if "://" in str(value) else Path(value).expanduser().absolute()

    @property
    def records_url(self) -> URL | str:
        """The URL of the records' database: `database_url`, else a SQLite file below `runs`."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return URL.create("sqlite", database=str(self.runs / ".swarm" / "records.db"))
