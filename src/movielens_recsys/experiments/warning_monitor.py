"""Early warnings of a run that is training: each is logged, and said, the first time it is given."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from movielens_recsys.runs.writing import EventWriter
from movielens_recsys.schema import Finding
from movielens_recsys.training.early_warnings import WarningThresholds, checkpoint_age, detect, memory
from movielens_recsys.training.history import EpochMetrics, TrainingCallback

PATIENCE_EPOCHS = 5
SECONDS_BETWEEN_LOOKS = 1.0
_PACKAGE = str(Path(__file__).parent.parent)


class WarningMonitor(TrainingCallback):
    """A training callback that writes a ``finding`` event and one line to ``warn`` for each new warning.

    Epochs and warnings from before a resumption are read from the log and count on. A warning that a
    contingency has answered may come again once the answer has had `PATIENCE_EPOCHS` to show.

    Parameters
    ----------
    on_finding
        Receives each new warning too.
    memory_share
        Asked every `SECONDS_BETWEEN_LOOKS` for the share in use of the device's memory; None: not known.
    """

    def __init__(
        self,
        writer: EventWriter,
        thresholds: WarningThresholds,
        warn: Callable[[str], None],
        on_finding: Callable[[Finding], None] = lambda finding: None,
        memory_share: Callable[[], float | None] = lambda: None,
    ) -> None:
        self._writer, self._thresholds, self._warn = writer, thresholds, warn
        self._on_finding, self._memory_share = on_finding, memory_share
        self._looked, self._saved = float("-inf"), time.monotonic()
        run = writer.run
        self._quiet_until = {
            taken["cause"]: taken["epoch"] + PATIENCE_EPOCHS
            for taken in run.contingencies
            if taken["mode"] == "auto"
        }
        self._history = [EpochMetrics.from_json(record) for record in run.history]
        given = {finding["name"] for finding in run.findings if "epoch" in finding}
        self._given = given - self._quiet_until.keys()

    def on_epoch(self, record: EpochMetrics, *, improved: bool) -> None:
        """Look at the history that ends with this epoch, which may be one that a crash repeats."""
        while self._history and self._history[-1].epoch >= record.epoch:
            self._history.pop()
        self._history.append(record)
        for finding in detect(self._history, self._thresholds):
            if record.epoch >= self._quiet_until.get(finding.name, 0):
                self._give(finding, record.epoch)

    def on_step(self, epoch: int, step: int, steps: int) -> None:
        """Look at what cannot wait for the epoch's end."""
        now = time.monotonic()
        if now < self._looked + SECONDS_BETWEEN_LOOKS:
            return
        self._looked = now
        found = (
            memory(self._memory_share(), self._thresholds),
            checkpoint_age(now - self._saved, self._thresholds),
        )
        for finding in found:
            if finding is not None:
                self._give(finding, epoch)

    def on_checkpoint(self, epoch: int, step: int) -> None:
        """Remember when the last checkpoint was written."""
        self._saved = time.monotonic()

    def _give(self, finding: Finding, epoch: int) -> None:
        if finding.name not in self._given:
            self._given.add(finding.name)
            self._on_finding(finding)
            self._writer.append("finding", {"epoch": epoch, **finding.to_json()})
            self._warn(f"epoch {epoch}: {finding}")


@contextmanager
def forward_warnings(warn: Callable[[str], None]) -> Iterator[None]:
    """While entered, what this package warns of with `warnings.warn` goes to ``warn``, as one line."""
    with warnings.catch_warnings():
        show_others = warnings.showwarning

        def show(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            if filename.startswith(_PACKAGE):
                warn(str(message))
            else:
                show_others(message, category, filename, lineno, file, line)

        warnings.showwarning = show
        yield
