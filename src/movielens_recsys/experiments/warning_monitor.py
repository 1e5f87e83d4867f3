"""Monitor of early warnings during training: each is logged and reported once."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from movielens_recsys.runs.event_writer import EventWriter
from movielens_recsys.schema import Finding
from movielens_recsys.training.early_warnings import WarningThresholds, checkpoint_age, detect, memory
from movielens_recsys.training.history import EpochMetrics, TrainingCallback

EPOCHS_AFTER_REMEDY = 5
"""How long a remedy may take to work before its cause can be warned of again."""
SECONDS_BETWEEN_CHECKS = 1.0
_PACKAGE = str(Path(__file__).parent.parent)


class WarningMonitor(TrainingCallback):
    """A training callback that writes a ``finding`` event and one line to ``warn`` for each new warning.

    Epochs and warnings from before a resumption are taken from the log. A warning that a remedy was taken
    for may come again after `EPOCHS_AFTER_REMEDY` epochs.

    Parameters
    ----------
    on_finding
        Receives each new warning too.
    memory_share
        Called every `SECONDS_BETWEEN_CHECKS`; returns the fraction of the device's memory in use, or None if
        it is unknown.
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
        self._checked, self._saved = float("-inf"), time.monotonic()
        run = writer.run
        self._suppressed_until = {
            response["cause"]: response["epoch"] + EPOCHS_AFTER_REMEDY
            for response in run.contingencies
            if response["mode"] == "auto"
        }
        self._history = [EpochMetrics.from_json(record) for record in run.history]
        reported = {finding["name"] for finding in run.findings if "epoch" in finding}
        self._reported = reported - self._suppressed_until.keys()

    def on_epoch(self, record: EpochMetrics, *, improved: bool) -> None:
        """Check the history that ends with this epoch, which may repeat one after a crash."""
        while self._history and self._history[-1].epoch >= record.epoch:
            self._history.pop()
        self._history.append(record)
        for finding in detect(self._history, self._thresholds):
            if record.epoch >= self._suppressed_until.get(finding.name, 0):
                self._report(finding, record.epoch)

    def on_step(self, epoch: int, step: int, steps: int) -> None:
        """Check memory and the age of the last checkpoint, which cannot wait for the epoch's end."""
        now = time.monotonic()
        if now < self._checked + SECONDS_BETWEEN_CHECKS:
            return
        self._checked = now
        found = (
            memory(self._memory_share(), self._thresholds),
            checkpoint_age(now - self._saved, self._thresholds),
        )
        for finding in found:
            if finding is not None:
                self._report(finding, epoch)

    def on_checkpoint(self, epoch: int, step: int) -> None:
        """Remember the time of the last checkpoint."""
        self._saved = time.monotonic()

    def _report(self, finding: Finding, epoch: int) -> None:
        if finding.name not in self._reported:
            self._reported.add(finding.name)
            self._on_finding(finding)
            self._writer.append("finding", {"epoch": epoch, **finding.to_json()})
            self._warn(f"epoch {epoch}: {finding}")


@contextmanager
def forward_warnings(warn: Callable[[str], None]) -> Iterator[None]:
    """While entered, this package's calls of `warnings.warn` go to ``warn``, as one line each."""
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
