"""`Run`: one experiment as its events tell it. Everything here is a fold over `events.jsonl`.

| event | data |
| --- | --- |
| created | what it is and costs: name, template, ..., cap_usd; findings of guards, `accepted` or not |
| started | attempt, pid, code, environment, seeds |
| data | name, hash, rows, users, items; split: protocol, hash and the sizes of the parts; bias_val_rmse |
| stopped | reason; at the cap also cap_usd and spent_usd |
| resumed | attempt, pid, code, environment, seeds; cap_usd, if it was raised |
| epoch | an `EpochMetrics` and whether it improved |
| utilization | epoch, readings, quantities: {name: [mean, largest]} since the last one; see `utilization` |
| finding | an early warning and the epoch that it was given first |
| contingency | cause, reason, mode, epoch, action, changes: {training key: {old, new}}, commands |
| fitted | best_epoch, stopped_because, seconds; of a sampled model also its `Convergence` |
| evaluated | part, relevance_threshold, figures: {name: {value, low, high}} |
| gate | targets, each with its measured figures |
| completed | nothing |
| failed | reason |
| archived | nothing |

Whatever a run logs while it goes also carries ``run_seconds``, its meter's reading over all attempts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from movielens_recsys.runs.config import Resources
from movielens_recsys.runs.events import Event
from movielens_recsys.schema import RunState

_STATE_AFTER = {
    "created": RunState.PLANNED,
    "started": RunState.RUNNING,
    "stopped": RunState.STOPPED,
    "resumed": RunState.RUNNING,
    "completed": RunState.COMPLETED,
    "failed": RunState.FAILED,
    "archived": RunState.ARCHIVED,
}
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


@dataclass(slots=True)
class Run:
    """One experiment: what it is, how far it came and what it measured.

    Attributes
    ----------
    id
        NAME_YYYYMMDD_HHMMSS in UTC, the name of the run's folder.
    state, state_before_archive
        Where it stands; an archived run keeps the state that it was archived from.
    attempts
        How often it was started or resumed.
    seconds
        Time spent by all attempts, evaluation included; up to the last event, where one was killed.
    price_usd_per_hour, cap_usd
        What an hour costs, and the cap in force.
    history
        One record per epoch since the last start.
    utilization
        What the machine did since the last start, as the ``utilization`` events say.
    figures
        Every figure by name: ``val_`` and ``test_`` figures of the evaluation, and the training
        figures of the best epoch (``val_loss``, ``val_rmse``, ...). Loss and RMSE never share a name.
    data, split
        What the ``data`` event said: names, protocol, sizes and content hashes; empty before the run.
    bias_val_rmse
        RMSE in stars of the user+item bias on the same validation rows, once the data were there.
    convergence
        Of a sampled model, once it is fitted: the fields of `training.records.Convergence`.
    findings
        What guards found at creation, each with ``accepted``, then early warnings since the last start, each
        with its first ``epoch``.
    contingencies
        What was done, or suggested, about trouble since the last start; see `contingencies`.
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
    attempts: int = 0
    started: str = ""
    ended: str = ""
    seconds: float = 0.0
    price_usd_per_hour: float = 0.0
    cap_usd: float = Resources().cap_usd
    best_epoch: int | None = None
    history: list[dict[str, Any]] = field(default_factory=list)
    utilization: list[dict[str, Any]] = field(default_factory=list)
    figures: dict[str, RunMetric] = field(default_factory=dict)
    relevance_threshold: float | None = None
    data: dict[str, Any] = field(default_factory=dict)
    split: dict[str, Any] = field(default_factory=dict)
    bias_val_rmse: float | None = None
    convergence: dict[str, Any] | None = None
    gate: list[dict[str, Any]] = field(default_factory=list)
    findings: list[dict[str, Any]] = field(default_factory=list)
    contingencies: list[dict[str, Any]] = field(default_factory=list)
    provenance: dict[str, Any] = field(default_factory=dict)

    @property
    def spent_usd(self) -> float:
        """What the run has cost: hours x price."""
        return self.seconds / 3600 * self.price_usd_per_hour

    @property
    def at_cap(self) -> bool:
        """Whether the run has spent what it may; a run that costs nothing never has."""
        return self.price_usd_per_hour > 0 and self.spent_usd >= self.cap_usd

    @property
    def usd_per_rmse_point(self) -> float | None:
        """Dollars for each point gained: spent_usd / ((bias_val_rmse - val_rmse) / 0.01).

        A point is 0.01 stars of validation RMSE below the user+item bias, fitted to the same training rows
        and judged on the same validation rows. That model costs seconds, so what lies below it is what a
        training is paid for. None where nothing does, or where there are no validation rows.
        """
        if self.bias_val_rmse is None or "val_rmse" not in self.figures:
            return None
        points = (self.bias_val_rmse - self.figures["val_rmse"].value) / 0.01
        return self.spent_usd / points if points > 0 else None

    def to_json(self) -> dict[str, Any]:
        """Return the run as plain JSON values."""
        names = [name for name in self.__slots__ if name != "figures"]
        figures = {
            name: {"value": figure.value, "low": figure.low, "high": figure.high}
            for name, figure in self.figures.items()
        }
        costs = {"spent_usd": self.spent_usd, "usd_per_rmse_point": self.usd_per_rmse_point}
        return {**{name: getattr(self, name) for name in names}, **costs, "figures": figures}


def replay(run_id: str, events: Sequence[Event]) -> Run:
    """Return what the events of a run add up to; kinds that this version does not know are passed over."""
    run = Run(run_id)
    for event in events:
        if event.kind == "archived":
            run.state_before_archive = run.state
        run.state = _STATE_AFTER.get(event.kind, run.state)
        apply = _APPLY.get(event.kind)
        if apply:
            apply(run, event)
        run.seconds = event.data.get("run_seconds", run.seconds)
    if run.history:
        _add_best_epoch(run)
    return run


def _created(run: Run, event: Event) -> None:
    run.created = event.time
    for name in ("name", "template", "description", "model", "config_hash"):
        setattr(run, name, event.data[name])
    run.tags = tuple(event.data["tags"])
    run.findings = list(event.data.get("findings", ()))
    run.price_usd_per_hour = event.data.get("price_usd_per_hour", run.price_usd_per_hour)
    run.cap_usd = event.data.get("cap_usd", run.cap_usd)


def _started(run: Run, event: Event) -> None:
    run.started, run.ended, run.reason = event.time, "", ""
    run.attempts += 1
    run.history, run.figures, run.gate, run.best_epoch = [], {}, [], None
    run.convergence = None
    run.utilization = []
    run.findings = [finding for finding in run.findings if "epoch" not in finding]
    run.contingencies = []
    run.provenance = event.data


def _resumed(run: Run, event: Event) -> None:
    run.ended, run.reason = "", ""
    run.attempts += 1
    run.cap_usd = event.data.get("cap_usd", run.cap_usd)
    run.provenance = event.data


def _data(run: Run, event: Event) -> None:
    run.data, run.split = event.data["data"], event.data["split"]
    run.bias_val_rmse = event.data.get("bias_val_rmse")


def _epoch(run: Run, event: Event) -> None:
    # An epoch is logged before its checkpoint is written; a process killed between the two repeats it.
    while run.history and run.history[-1]["epoch"] >= event.data["epoch"]:
        run.history.pop()
    run.history.append(event.data)


def _utilization(run: Run, event: Event) -> None:
    run.utilization.append(event.data)


def _finding(run: Run, event: Event) -> None:
    run.findings.append(event.data)


def _contingency(run: Run, event: Event) -> None:
    run.contingencies.append(event.data)


def _fitted(run: Run, event: Event) -> None:
    run.best_epoch = event.data["best_epoch"]
    run.convergence = event.data.get("convergence")


def _evaluated(run: Run, event: Event) -> None:
    run.relevance_threshold = event.data.get("relevance_threshold", event.data.get("relevant_from"))
    prefix = {"validation": "val", "test": "test"}[event.data["part"]]
    for name, figure in event.data["figures"].items():
        if figure["value"] is not None:
            run.figures[f"{prefix}_{name}"] = RunMetric(**figure)


def _gate(run: Run, event: Event) -> None:
    run.gate = event.data["targets"]


def _ended(run: Run, event: Event) -> None:
    run.ended = event.time
    run.reason = event.data.get("reason", "")


_APPLY = {
    "created": _created,
    "started": _started,
    "stopped": _ended,
    "resumed": _resumed,
    "data": _data,
    "epoch": _epoch,
    "utilization": _utilization,
    "finding": _finding,
    "contingency": _contingency,
    "fitted": _fitted,
    "evaluated": _evaluated,
    "gate": _gate,
    "completed": _ended,
    "failed": _ended,
}


def _add_best_epoch(run: Run) -> None:
    """Add the training figures of the best epoch; before the fit has ended, of the last that improved."""
    improved = [record for record in run.history if record["improved"]] or run.history
    best: Mapping[str, Any] = improved[-1]
    if run.best_epoch is not None:
        best = next((record for record in run.history if record["epoch"] == run.best_epoch), best)
    for name in EPOCH_METRICS:
        if best[name] is not None and name not in run.figures:
            run.figures[name] = RunMetric(best[name])
