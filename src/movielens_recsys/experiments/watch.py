"""Early warnings of a run that is training: each is logged, and said, the first time it is given."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from movielens_recsys.experiments.events import EventWriter
from movielens_recsys.experiments.record import fold
from movielens_recsys.schema import Finding
from movielens_recsys.training.early_warnings import WarningThresholds, detect
from movielens_recsys.training.records import EpochRecord, TrainingCallback

PATIENCE_EPOCHS = 5
_PACKAGE = str(Path(__file__).parent.parent)


class Watch(TrainingCallback):
    """A training callback that writes a ``finding`` event and one line to ``warn`` for each new warning.

    Epochs and warnings from before a resumption are read from the log and count on. A warning that a
    contingency has answered may come again once the answer has had `PATIENCE_EPOCHS` to show.

    Parameters
    ----------
    on_finding
        Receives each new warning too.
    """

    def __init__(
        self,
        writer: EventWriter,
        thresholds: WarningThresholds,
        warn: Callable[[str], None],
        on_finding: Callable[[Finding], None] = lambda finding: None,
    ) -> None:
        self._writer, self._thresholds, self._warn = writer, thresholds, warn
        self._on_finding = on_finding
        run = fold("", writer.events)
        self._quiet_until = {
            taken["cause"]: taken["epoch"] + PATIENCE_EPOCHS
            for taken in run.contingencies
            if taken["mode"] == "auto"
        }
        self._history = [EpochRecord.from_json(record) for record in run.history]
        given = {finding["name"] for finding in run.findings if "epoch" in finding}
        self._given = given - self._quiet_until.keys()

    def on_epoch(self, record: EpochRecord, *, improved: bool) -> None:
        """Look at the history that ends with this epoch, which may be one that a crash repeats."""
        while self._history and self._history[-1].epoch >= record.epoch:
            self._history.pop()
        self._history.append(record)
        for finding in detect(self._history, self._thresholds):
            quiet = record.epoch < self._quiet_until.get(finding.name, 0)
            if finding.name not in self._given and not quiet:
                self._given.add(finding.name)
                self._on_finding(finding)
                self._writer.append("finding", {"epoch": record.epoch, **finding.to_json()})
                self._warn(f"epoch {record.epoch}: {finding}")


@contextmanager
def own_warnings(warn: Callable[[str], None]) -> Iterator[None]:
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
