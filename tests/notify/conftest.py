"""A simulated clock, and runs that consist of an event log alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from tests.notify.discord_server import URL, Discord

from movielens_recsys.notify.discord import DiscordChannel

RECORD = {"train_loss": 0.9, "val_loss": 0.87, "val_mse": 0.86, "val_kl": 0.1, "learning_rate": 0.001}


class Time:
    """A simulated clock: waits return at once and advance it."""

    def __init__(self) -> None:
        self.now = 0.0
        self.waits: list[float] = []

    def wait(self, seconds: float) -> bool:
        self.waits.append(seconds)
        self.now += seconds
        return False

    def clock(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def channel(discord: Discord, time: Time) -> DiscordChannel:
    """A channel to the local Discord server, on the simulated clock."""
    return DiscordChannel(SecretStr(URL), wait=time.wait, clock=time.clock)


class Log:
    """A run's folder with an event log that the test writes."""

    def __init__(self, folder: Path, config: dict[str, Any]) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        (folder / "config.json").write_text(json.dumps(config))
        self.sequence = 0

    def write(self, kind: str, **data: Any) -> None:
        """Append an event, by default one second of run time after the last one."""
        data = {"run_seconds": float(self.sequence), **data}
        self.sequence += 1
        time = f"2026-11-23T{self.sequence // 3600:02}:{self.sequence // 60 % 60:02}:{self.sequence % 60:02}"
        event = {"sequence": self.sequence, "time": f"{time}.000000+00:00", "kind": kind, "data": data}
        with (self.folder / "events.jsonl").open("a") as log:
            log.write(json.dumps(event) + "\n")

    def start(self, kind: str = "started", **more: Any) -> None:
        environment = {"device": "cpu", "cpus": 2, "machine": "x86_64"}
        self.write(kind, attempt=1, pid=1, code={}, environment=environment, seeds={}, **more)

    def epoch(self, number: int, rmse: float = 0.9312, *, improved: bool = True) -> None:
        self.write("epoch", epoch=number, val_rmse=rmse, improved=improved, **RECORD)


CONFIG = {
    "data": {"name": "ml-100k"},
    "split": {"protocol": "random"},
    "model": {"name": "hybrid_vae"},
    "training": {"epochs": 50, "device": "cpu"},
    "targets": {"rmse": 0.55, "precision_at_10": 0.4, "ndcg_at_10": None},
}


@pytest.fixture
def log(tmp_path: Path) -> Log:
    """A run named demo_20261123_120000 without events."""
    return Log(tmp_path / "demo_20261123_120000", CONFIG)
