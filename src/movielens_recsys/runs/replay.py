"""Replay of `events.jsonl`: the state of a run after its events.

| event | data |
| --- | --- |
| created | configuration and price: name, template, ..., cap_usd; location; findings, `accepted` or not |
| started | attempt, pid, code, environment, seeds; cap_usd, if another one applies |
| data | name, hash, rows, users, items; split: protocol, hash, sizes of the parts; location; bias_val_rmse |
| stopped | reason; at the cap also cap_usd and spent_usd |
| resumed | as started; evaluation: {key: value}, if a fitted run is evaluated otherwise than configured |
| epoch | an `EpochMetrics` and whether it improved |
| utilization | epoch, readings, quantities: {name: [mean, largest]} since the last such event |
| finding | an early warning and the first epoch that gave it |
| contingency | cause, reason, mode, epoch, action, changes: {training key: {old, new}}, commands |
| fitted | the bundle is saved: best_epoch, stopped_because, seconds; of an MCMC model its `Convergence` |
| evaluated | part, relevance_threshold, relevant_share, figures: {name: {value, low, high}} |
| gate | targets, each with the measured metrics |
| completed | nothing |
| failed | reason; final: whether the error comes again whenever the run is resumed |
| archived | nothing |
| unarchived | nothing |

While a run is executed, each event also carries ``run_seconds``, the meter's reading over all attempts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from movielens_recsys.errors import ExperimentError
from movielens_recsys.evaluation.metric_name import run_metric_name
from movielens_recsys.runs.events import Event
from movielens_recsys.runs.run import APPENDED, EPOCH_METRICS, Run, RunMetric
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
Draft = dict[str, Any]
"""The fields of a `Run` that are set so far, with lists in place of its tuples."""


class Replay:
    """Applies the events of one run in order; `run` is the state after the last of them.

    Kinds of events that this version does not know are skipped.
    """

    def __init__(self, run_id: str, events: Iterable[Event] = ()) -> None:
        # A mutable draft, because a new frozen `Run` per event costs more than parsing the event does.
        self._draft: dict[str, Any] = {"id": run_id, "metrics": {}, **{name: [] for name in APPENDED}}
        for event in events:
            self.apply(event)

    def apply(self, event: Event) -> None:
        """Advance the state by one event.

        Raises
        ------
        ExperimentError
            The event lacks what events of its kind have.
        """
        draft = self._draft
        if event.kind == "archived":
            draft["state_before_archive"] = draft.get("state", RunState.PLANNED)
        elif event.kind == "unarchived":
            draft["state"] = draft.pop("state_before_archive", RunState.PLANNED)
        if event.kind in _STATE_AFTER:
            draft["state"] = _STATE_AFTER[event.kind]
        handler = _HANDLERS.get(event.kind)
        try:
            if handler:
                handler(draft, event)
        except (AttributeError, KeyError, TypeError, ValueError) as exc:
            raise ExperimentError(
                f"event {event.sequence} of {draft['id']}, {event.kind!r}, cannot be read "
                f"({type(exc).__name__}: {exc})",
                expected="an event as this version or an earlier one writes it",
                next_step="update the package, or restore events.jsonl from a backup",
            ) from exc
        if "run_seconds" in event.data:
            draft["seconds"] = event.data["run_seconds"]

    @property
    def run(self) -> Run:
        """The state after the events so far, as a value that later events leave alone."""
        appended = {name: tuple(self._draft[name]) for name in APPENDED}
        return Run(**{**self._draft, **appended, "metrics": _with_best_epoch(self._draft)})


def replay(run_id: str, events: Iterable[Event]) -> Run:
    """Return the state of a run after ``events``, its whole log."""
    return Replay(run_id, events).run


def _created(draft: Draft, event: Event) -> None:
    draft["created"] = event.time
    for name in ("name", "template", "description", "model", "config_hash"):
        draft[name] = event.data[name]
    draft["tags"] = tuple(event.data["tags"])
    draft["findings"] = list(event.data.get("findings", ()))
    for name in ("price_usd_per_hour", "cap_usd", "location"):
        if name in event.data:
            draft[name] = event.data[name]


def _started(draft: Draft, event: Event) -> None:
    _began(draft, event)
    draft.update(
        started=event.time,
        fitted=False,
        evaluation={},
        history=[],
        metrics={},
        target_checks=[],
        best_epoch=None,
        convergence=None,
        utilization=[],
        findings=[finding for finding in draft["findings"] if "epoch" not in finding],
        contingencies=[],
    )


def _resumed(draft: Draft, event: Event) -> None:
    _began(draft, event)
    draft["evaluation"] = {**draft.get("evaluation", {}), **event.data.get("evaluation", {})}


def _began(draft: Draft, event: Event) -> None:
    attempts = draft.get("attempts", 0) + 1
    draft.update(ended="", reason="", final=False, attempts=attempts, provenance=event.data)
    if "cap_usd" in event.data:
        draft["cap_usd"] = event.data["cap_usd"]


def _data(draft: Draft, event: Event) -> None:
    draft["data"], draft["split"] = event.data["data"], event.data["split"]
    draft["location"] = event.data.get("location", draft.get("location", ""))
    draft["bias_val_rmse"] = event.data.get("bias_val_rmse")


def _epoch(draft: Draft, event: Event) -> None:
    for name in ("improved", *EPOCH_METRICS):
        event.data[name]  # any epoch may become the best one, which is shown
    add_epoch(draft["history"], event.data)


def add_epoch(history: list[dict[str, Any]], record: dict[str, Any]) -> None:
    """Append an epoch, in place of records of the same or a later one.

    An epoch is logged before its checkpoint is written; a process killed between the two repeats it.
    """
    while history and history[-1]["epoch"] >= record["epoch"]:
        history.pop()
    history.append(record)


def _utilization(draft: Draft, event: Event) -> None:
    draft["utilization"].append(event.data)


def _finding(draft: Draft, event: Event) -> None:
    draft["findings"].append(event.data)


def _contingency(draft: Draft, event: Event) -> None:
    draft["contingencies"].append(event.data)


def _fitted(draft: Draft, event: Event) -> None:
    draft["fitted"] = True
    draft["best_epoch"] = event.data["best_epoch"]
    draft["convergence"] = event.data.get("convergence")


def _evaluated(draft: Draft, event: Event) -> None:
    draft["relevance_threshold"] = event.data.get("relevance_threshold", event.data.get("relevant_from"))
    draft["relevant_share"] = event.data.get("relevant_share")
    for name, metric in event.data["figures"].items():
        if metric["value"] is not None:
            draft["metrics"][run_metric_name(event.data["part"], name)] = RunMetric(**metric)


def _targets_checked(draft: Draft, event: Event) -> None:
    draft["target_checks"] = event.data["targets"]


def _ended(draft: Draft, event: Event) -> None:
    draft["ended"] = event.time
    draft["reason"] = event.data.get("reason", "")
    draft["final"] = event.data.get("final", False)


_HANDLERS: Mapping[str, Callable[[Draft, Event], None]] = {
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
    "gate": _targets_checked,
    "completed": _ended,
    "failed": _ended,
}


def _with_best_epoch(draft: Draft) -> dict[str, RunMetric]:
    """Return the metrics with those of the best epoch; before the fit has ended, of the last improvement.

    An evaluated metric takes precedence over the epoch's metric of the same name.
    """
    metrics: dict[str, RunMetric] = dict(draft["metrics"])
    history = draft["history"]
    if not history:
        return metrics
    improved = [record for record in history if record["improved"]] or history
    best: Mapping[str, Any] = improved[-1]
    best_epoch = draft.get("best_epoch")
    if best_epoch is not None:
        best = next((record for record in history if record["epoch"] == best_epoch), best)
    for name in EPOCH_METRICS:
        if best[name] is not None and name not in metrics:
            metrics[name] = RunMetric(best[name])
    return metrics
