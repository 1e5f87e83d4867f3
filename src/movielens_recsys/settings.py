"""The only reader of the environment."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_cache_path
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Where things lie, each overridable by an environment variable named beside it."""

    model_config = SettingsConfigDict(env_prefix="RECSYS_", frozen=True, extra="ignore")

    home: Path = Field(default=Path(".recsys"), description="RECSYS_HOME: experiments, tracking, registry")
    data: Path = Field(
        default_factory=lambda: user_cache_path("movielens-recsys"),
        description="RECSYS_DATA: downloaded data sets and their Parquet cache",
    )
    data_path: str = Field(default="", description="RECSYS_DATA_PATH: folders to look in before downloading")

    @property
    def data_folders(self) -> tuple[Path, ...]:
        """The folders of RECSYS_DATA_PATH, in order."""
        return tuple(Path(part).expanduser() for part in self.data_path.split(os.pathsep) if part)

    @property
    def runs(self) -> Path:
        """One folder per experiment."""
        return self.home / "runs"

    @property
    def tracking_db(self) -> Path:
        """MLflow's SQLite store."""
        return self.home / "tracking.db"


def load_settings() -> Settings:
    """Read the environment now; callers pass the result on, nothing is cached between calls."""
    return Settings()
