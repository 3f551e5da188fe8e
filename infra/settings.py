"""Where things are: the one place that reads the environment."""

from pathlib import Path

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import URL


class Settings(BaseSettings):
    """What belongs to this machine or user and not to a run; each field is read from SWARM_<FIELD>.

    Nothing here may change a result: what does belongs into a run's configuration.
    """

    model_config = SettingsConfigDict(env_prefix="SWARM_", env_ignore_empty=True, frozen=True, extra="forbid")

    runs: Path = Field(default=Path("runs"), validate_default=True)
    """The folder of the runs; a relative one is below the current folder. Always absolute once read."""

    database_url: SecretStr | None = None
    """The records' database: sqlite:////folder/records.db or postgresql://user:password@host/name."""

    cache: Path = Field(default=Path("~/.cache/model-swarms"), validate_default=True)
    """The folder of what can be made again: converted base models, downloads."""

    @field_validator("runs", "cache")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @property
    def results(self) -> Path:
        """The folder of Prefect's persisted task results."""
        return self.runs / ".swarm" / "results"

    @property
    def records_url(self) -> URL | str:
        """The URL of the records' database: `database_url`, else a SQLite file below `runs`."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return URL.create("sqlite", database=str(self.runs / ".swarm" / "records.db"))
