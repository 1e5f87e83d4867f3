"""The only reader of the environment."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from platformdirs import user_cache_path
from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from movielens_recsys.errors import UsageError, shorten

WandbCopies = Literal["online", "offline", "off"]
_WANDB_MODES: dict[str, WandbCopies] = {
    "": "online",
    "online": "online",
    "run": "online",
    "offline": "offline",
    "dryrun": "offline",
    "disabled": "off",
}
_TRUE = frozenset({"1", "true", "t", "yes", "y", "on"})
_FALSE = frozenset({"", "0", "false", "f", "no", "n", "off"})


class Settings(BaseSettings):
    """Folders, webhook and keys, each set by the environment variable beside it, unless that is empty."""

    model_config = SettingsConfigDict(
        env_prefix="RECSYS_", env_ignore_empty=True, frozen=True, extra="ignore", populate_by_name=True
    )

    home: Path = Field(
        default=Path(".recsys"),
        validate_default=False,  # stays short where it is printed, and means the working folder anyway
        description="RECSYS_HOME: experiments, tracking, registry",
    )
    data: Path = Field(
        default_factory=lambda: user_cache_path("movielens-recsys"),
        description="RECSYS_DATA: downloaded data sets and their Parquet cache",
    )
    data_path: str = Field(default="", description="RECSYS_DATA_PATH: folders to look in before downloading")
    discord_webhook_url: SecretStr = Field(
        default=SecretStr(""),
        validation_alias="DISCORD_WEBHOOK_URL",
        description="DISCORD_WEBHOOK_URL: address for notifications about runs; a secret, never shown",
    )
    discord_webhook_file: Path | None = Field(
        default=None,
        validation_alias="DISCORD_WEBHOOK_FILE",
        description="DISCORD_WEBHOOK_FILE: a file with that address instead",
    )
    wandb_api_key: SecretStr = Field(
        default=SecretStr(""),
        validation_alias="WANDB_API_KEY",
        description="WANDB_API_KEY: API key of W&B; a secret, never shown. Without it, copies stay local",
    )
    wandb_mode: str = Field(
        default="",
        validation_alias="WANDB_MODE",
        description="WANDB_MODE: `offline` keeps copies for W&B in local files, even with a key; "
        "`disabled` makes none",
    )
    wandb_disabled: str = Field(
        default="",
        validation_alias="WANDB_DISABLED",
        description="WANDB_DISABLED: `true` makes no copies for W&B, whatever WANDB_MODE says",
    )
    mlflow_tracking_uri: str = Field(
        default="",
        validation_alias="MLFLOW_TRACKING_URI",
        description="MLFLOW_TRACKING_URI: not used, as a notice says: MLflow's copies are in the home folder",
    )

    @field_validator("discord_webhook_file", mode="before")
    @classmethod
    def _unset_if_empty(cls, value: object) -> object:
        return value or None

    @field_validator("home", "data", "discord_webhook_file")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        """Resolve a given value now: what is kept of it is read by processes in other folders."""
        return None if value is None else value.expanduser().absolute()

    @property
    def data_folders(self) -> tuple[Path, ...]:
        """The folders of RECSYS_DATA_PATH, in order."""
        parts = (part for part in self.data_path.split(os.pathsep) if part)
        return tuple(Path(part).expanduser().absolute() for part in parts)

    @property
    def runs(self) -> Path:
        """One folder per experiment."""
        return self.home / "runs"

    @property
    def ensembles(self) -> Path:
        """One folder per ensemble."""
        return self.home / "ensembles"

    @property
    def predictions(self) -> Path:
        """Predictions of completed runs for their held-out rows, kept for blending."""
        return self.home / "predictions"

    @property
    def tracking_db(self) -> Path:
        """MLflow's SQLite store."""
        return self.home / "tracking.db"

    @property
    def bench(self) -> Path:
        """The bench's environments of peers, and one folder per benchmark result."""
        return self.home / "bench"

    @property
    def wandb(self) -> Path:
        """W&B's files: copies of runs that are not sent yet, or not to be sent."""
        return self.home / "wandb"

    def wandb_copies(self) -> WandbCopies:
        """Return whether copies for W&B are sent, kept in local files, or not made, as W&B's variables say.

        Without a key none is sent.

        Raises
        ------
        UsageError
            WANDB_MODE or WANDB_DISABLED has a value that means none of these.
        """
        disabled, mode = self.wandb_disabled.strip().lower(), self.wandb_mode.strip().lower()
        if disabled not in _TRUE | _FALSE:
            raise UsageError(
                f"WANDB_DISABLED is {shorten(self.wandb_disabled)!r}",
                expected="true or false",
                next_step="correct the variable, or unset it",
            )
        if mode not in _WANDB_MODES:
            raise UsageError(
                f"WANDB_MODE is {shorten(self.wandb_mode)!r}",
                expected="online, offline or disabled",
                next_step="correct the variable, or unset it",
            )
        copies = "off" if disabled in _TRUE else _WANDB_MODES[mode]
        has_key = bool(self.wandb_api_key.get_secret_value())
        return "offline" if copies == "online" and not has_key else copies

    def webhook(self) -> SecretStr | None:
        """Return the address to notify, from the environment or else from its file; None if there is none.

        Raises
        ------
        UsageError
            The file cannot be read, or is empty.
        """
        url = self.discord_webhook_url.get_secret_value().strip()
        if not url and self.discord_webhook_file:
            try:
                url = self.discord_webhook_file.read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as exc:
                reason = exc.strerror if isinstance(exc, OSError) else "it is not text"
                raise UsageError(
                    f"cannot read the file that DISCORD_WEBHOOK_FILE names ({reason})",
                    expected="a file that holds the webhook's address, not the address itself",
                    next_step="correct the variable, or unset it",
                ) from None
            if not url:
                raise UsageError(
                    "the file that DISCORD_WEBHOOK_FILE names is empty",
                    next_step="write the webhook's address into it, or unset the variable",
                )
        return SecretStr(url) if url else None


def first_visible_gpu() -> str | None:
    """Return the index or id of the GPU that CUDA_VISIBLE_DEVICES puts first; None if it is not set.

    "" means that it hides every GPU, as CUDA does if it is empty or begins with -1.
    """
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return None
    first = visible.partition(",")[0].strip()
    return "" if first in {"-1", "NoDevFiles"} else first


def load_settings() -> Settings:
    """Read the environment now; callers pass the result on, nothing is cached between calls."""
    return Settings()
