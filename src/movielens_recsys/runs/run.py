"""`Run`: the state of one experiment, as `replay` derives it from its event log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from movielens_recsys.evaluation.relevance import describe_relevance
from movielens_recsys.runs.config import Resources
from movielens_recsys.runs.refusal import Refusal
from movielens_recsys.schema import RunState

APPENDED = ("history", "utilization", "target_checks", "findings", "contingencies")
"""Fields of `Run` that collect the data of several events."""

_JSON_KEYS = {"metrics": "figures", "target_checks": "gate"}
"""Fields of a run that have another name in its JSON."""

EPOCH_METRICS = ("train_loss", "val_loss", "val_mse", "val_rmse", "val_kl")


@dataclass(frozen=True, slots=True)
class RunMetric:
    """A measured value with its confidence interval, where it has one."""

    value: float
    low: float | None = None
    high: float | None = None

    def __str__(self) -> str:
        if self.low is None or self.high is None:
            return f"{self.value:.4f}"
        return f"{self.value:.4f} [{self.low:.4f}, {self.high:.4f}]"


@dataclass(frozen=True, slots=True)
class Run:
    """One experiment: its configuration in short, its progress and its metrics. A value: nothing changes it.

    Attributes
    ----------
    id
        NAME_YYYYMMDD_HHMMSS in UTC, the name of the run's folder.
    state, state_before_archive
        The current state; for an archived run also the state before that.
    reason, final
        Why it stopped or failed, and whether that was an error which comes again whenever it is resumed.
    refused
        Why the last attempt ended before anything of the run had begun; None once the run went on.
    attempts
        How often it was started or resumed.
    seconds
        Time spent by all attempts, evaluation included; up to the last event, where one was killed.
    price_usd_per_hour, cap_usd
        The price of an hour, and the cap in force.
    history
        One record per epoch since the last start.
    utilization
        Readings of the hardware monitor since the last start: the data of the ``utilization`` events.
    fitted
        Whether its training is complete since the last start: its bundle is saved, and only evaluated.
    evaluation
        Changes to the configured evaluation, made to finish a fitted run; see `evaluation_of`.
    metrics
        Every metric by name: ``val_`` and ``test_`` metrics of the evaluation, and the training
        metrics of the best epoch (``val_loss``, ``val_rmse``, ...). Loss and RMSE never share a name.
        In JSON, ``figures``.
    relevance_threshold, relevant_share
        Of the last evaluated part, as in `Report`; None before the evaluation, the share also in older logs.
    data, split
        From the ``data`` event: names, protocol, sizes and content hashes; empty before the run.
    location
        The file or folder that the ratings were read from when the run was created, and then when it last
        began; empty for runs of earlier versions.
    bias_val_rmse
        RMSE of the user+item bias on the same validation rows, once the data are loaded.
    convergence
        Of an MCMC model, once it is fitted: the fields of `training.history.Convergence`.
    target_checks
        Rows of `experiments.targets.check_targets`; empty before the evaluation. In JSON, ``gate``.
    findings
        Preflight findings at creation, each with ``accepted``, then early warnings since the last start, each
        with its first ``epoch``.
    contingencies
        Remedies taken or suggested since the last start; see `experiments.recovery`.
    """

    id: str
    name: str = ""
    template: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    model: str = ""
    config_hash: str = ""
    created: str = ""
    state: RunState = RunState.PLANNED
    state_before_archive: RunState | None = None
    reason: str = ""
    final: bool = False
    refused: Refusal | None = None
    attempts: int = 0
    started: str = ""
    ended: str = ""
    seconds: float = 0.0
    price_usd_per_hour: float = 0.0
    cap_usd: float = Resources().cap_usd
    best_epoch: int | None = None
    fitted: bool = False
    evaluation: Mapping[str, Any] = field(default_factory=dict)
    history: tuple[Mapping[str, Any], ...] = ()
    utilization: tuple[Mapping[str, Any], ...] = ()
    metrics: Mapping[str, RunMetric] = field(default_factory=dict)
    relevance_threshold: float | None = None
    relevant_share: float | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    split: Mapping[str, Any] = field(default_factory=dict)
    location: str = ""
    bias_val_rmse: float | None = None
    convergence: Mapping[str, Any] | None = None
    target_checks: tuple[Mapping[str, Any], ...] = ()
    findings: tuple[Mapping[str, Any], ...] = ()
    contingencies: tuple[Mapping[str, Any], ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @property
    def implicit(self) -> bool:
        """Whether the data are interactions without ratings; False before they are loaded."""
        return bool(self.data.get("implicit"))

    @property
    def relevance(self) -> str:
        """The relevance threshold and the share of the held-out ratings that reach it; empty if unused."""
        ranked = any("_at_" in name for name in self.metrics)
        if self.relevance_threshold is None or not ranked:
            return ""
        return describe_relevance(self.relevance_threshold, self.relevant_share, implicit=self.implicit)

    def __repr__(self) -> str:
        return f"Run({self.id!r}: {self.state}, {len(self.history)} epochs, {len(self.metrics)} metrics)"

    @property
    def resumable(self) -> bool:
        """Whether a process may go on with it.

        Earlier versions recorded passing errors as failures; those runs are resumed like stopped ones.
        """
        unfinished = self.state in {RunState.RUNNING, RunState.STOPPED}
        return unfinished or (self.state is RunState.FAILED and not self.final)

    @property
    def why(self) -> str:
        """Why it does not run: the reason of the last refusal, or else of its end; empty if there is none."""
        return self.refused.reason if self.refused is not None else self.reason

    @property
    def spent_usd(self) -> float:
        """Cost of the run: hours x price."""
        return self.seconds / 3600 * self.price_usd_per_hour

    @property
    def at_cap(self) -> bool:
        """Whether the run has spent its cap; a run at $0 an hour never has."""
        return self.price_usd_per_hour > 0 and self.spent_usd >= self.cap_usd

    @property
    def usd_per_rmse_point(self) -> float | None:
        """Dollars for each point gained: spent_usd / ((bias_val_rmse - val_rmse) / 0.01).

        A point is 0.01 of validation RMSE below the user+item bias, fitted to the same training rows
        and evaluated on the same validation rows. That baseline costs seconds, so only an improvement on it
        is worth the price of a training. None without an improvement or without validation rows.
        """
        if self.bias_val_rmse is None or "val_rmse" not in self.metrics:
            return None
        points = (self.bias_val_rmse - self.metrics["val_rmse"].value) / 0.01
        return self.spent_usd / points if points > 0 else None

    def to_json(self) -> dict[str, Any]:
        """Return the run as plain JSON values."""
        plain = {name: getattr(self, name) for name in self.__slots__ if name != "metrics"}
        plain.update({name: list(plain[name]) for name in APPENDED})
        values = {_JSON_KEYS.get(name, name): value for name, value in plain.items()}
        metrics = {
            name: {"value": metric.value, "low": metric.low, "high": metric.high}
            for name, metric in self.metrics.items()
        }
        if self.refused is not None:
            values["refused"] = self.refused._asdict()
        costs = {"spent_usd": self.spent_usd, "usd_per_rmse_point": self.usd_per_rmse_point}
        return {**values, **costs, _JSON_KEYS["metrics"]: metrics}
