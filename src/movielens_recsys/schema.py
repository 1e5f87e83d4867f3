"""Values that all packages share: column names, run states, findings."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Column(StrEnum):
    """Names of the columns of a rating table, whatever its file called them."""

    USER = "user"
    ITEM = "item"
    RATING = "rating"
    TIMESTAMP = "timestamp"


class RunState(StrEnum):
    """The states of an experiment; a finished one never changes, except that it may be archived.

    A stopped one is saved and continues with ``recsys experiment resume``.
    """

    PLANNED = "planned"
    RUNNING = "running"
    STOPPED = "stopped"
    COMPLETED = "completed"
    FAILED = "failed"
    ARCHIVED = "archived"

    @property
    def finished(self) -> bool:
        """Whether the run's metrics and configuration are final."""
        return self in {RunState.COMPLETED, RunState.FAILED, RunState.ARCHIVED}


class Severity(StrEnum):
    """How much a finding matters."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """One measured observation, of data checks, early warnings, drift or reviews.

    ``value`` was measured, ``threshold`` is the limit that it is compared with (None: there is none),
    ``advice`` is the next step.
    """

    name: str
    value: float
    threshold: float | None
    severity: Severity
    advice: str

    def __str__(self) -> str:
        against = "" if self.threshold is None else f" against {self.threshold:g}"
        return f"{self.name} {self.value:.4g}{against}: {self.advice}"

    def to_json(self) -> dict[str, Any]:
        """Return the finding as plain JSON values."""
        return {**asdict(self), "severity": self.severity.value}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Finding:
        """Rebuild a finding from `to_json`'s output."""
        return cls(**{**values, "severity": Severity(values["severity"])})
