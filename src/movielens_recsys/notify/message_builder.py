"""`MessageBuilder`: the messages that the events of one run produce.

Messages depend on events alone, so the log is also the list of messages, and a message that is sent twice is
the same both times. These events produce a message:

| event | message |
| --- | --- |
| started, resumed | start |
| epoch that improved | new best |
| finding | warning |
| contingency | contingency; in mode ``suggest``, one that was only suggested |
| stopped | stop; with ``cap_usd`` in its data, cap |
| completed | end |
| failed | failure |
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from movielens_recsys.evaluation.metric_name import run_metric_name
from movielens_recsys.notify.message_fields import (
    Fields,
    Values,
    best_epoch_fields,
    change_fields,
    config_fields,
    cost_fields,
    device_fields,
    final_metric_fields,
    get_nested,
    number_text,
    target_fields,
)
from movielens_recsys.notify.messages import Kind, Message
from movielens_recsys.runs.cost import format_usd
from movielens_recsys.runs.events import Event
from movielens_recsys.runs.replay import add_epoch

_SHOWN = ("rmse", "ndcg_at_10_full", "ndcg_at_10_rated", "precision_at_10_full", "precision_at_10_rated")


class MessageBuilder:
    """Reads one run's events in order and keeps what later messages need.

    Parameters
    ----------
    run_id
        The run's id, for the commands in its messages.
    config
        The run's configuration as plain values; what is missing there is left out of the messages.
    """

    def __init__(self, run_id: str, config: Values) -> None:
        self._run_id, self._config = run_id, config
        self._cap_usd = get_nested(config, "resources", "cap_usd")
        self._running = False
        self._device: Fields = []
        self._reset()

    def _reset(self) -> None:
        self._history: list[dict[str, Any]] = []
        self._announced: set[tuple[int, float | None]] = set()
        self._metrics: dict[str, Values] = {}
        self._targets: list[Values] = []

    def build(self, event: Event) -> Message | None:
        """Return the event's message, or None if it has none.

        An event that this version cannot read produces a message without details.
        """
        compose = _COMPOSE.get(event.kind)
        if compose is None:
            return None
        try:
            return compose(self, event)
        except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError):
            return self._message(event, Kind.WARNING, f"An event that cannot be read: {event.kind}")

    def _message(
        self,
        event: Event,
        kind: Kind,
        title: str,
        text: str = "",
        fields: Sequence[tuple[str, str]] = (),
        commands: Sequence[str] = (),
    ) -> Message:
        next_steps = tuple(commands) or (f"recsys experiment show {self._run_id}",)
        return Message(self._run_id, event.sequence, event.time, kind, title, text, tuple(fields), next_steps)

    def _start(self, event: Event) -> Message:
        self._reset()
        self._device, self._running = device_fields(event.data["environment"]), True
        fields = [*config_fields(self._config), *self._device]
        return self._message(event, Kind.START, "Started", fields=fields)

    def _resume(self, event: Event) -> Message:
        text = "The previous process crashed." if self._running else ""
        self._device, self._running = device_fields(event.data["environment"]), True
        self._cap_usd = event.data.get("cap_usd", self._cap_usd)
        fields = [("attempt", f"{event.data['attempt']}"), *self._progress(event)]
        return self._message(event, Kind.START, "Resumed", text, fields)

    def _epoch(self, event: Event) -> Message | None:
        record = event.data
        add_epoch(self._history, record)
        # A repeated epoch has the same metrics after a crash, and may have others after a contingency.
        best = record["epoch"], record["val_rmse"]
        if not record["improved"] or best in self._announced:
            return None
        self._announced.add(best)
        title = f"New best: val_rmse {number_text(record['val_rmse'])} at epoch {record['epoch']}"
        return self._message(event, Kind.BEST, title, fields=self._progress(event))

    def _finding(self, event: Event) -> Message:
        data = event.data
        threshold = "" if data["threshold"] is None else f" against {data['threshold']:g}"
        title = f"Warning: {data['name']} {data['value']:.4g}{threshold}"
        if "epoch" in data:
            title += f" at epoch {data['epoch']}"
        return self._message(event, Kind.WARNING, title, data["advice"], self._progress(event))

    def _contingency(self, event: Event) -> Message:
        data = event.data
        prefix = "Suggested" if data.get("mode") == "suggest" else "Contingency"
        title = f"{prefix}: {data['cause']}"
        if "epoch" in data:
            title += f" at epoch {data['epoch']}"
        fields = [*change_fields(data.get("changes", {})), *self._progress(event)]
        text = ": ".join(data[name] for name in ("action", "reason") if data.get(name))
        return self._message(event, Kind.CONTINGENCY, title, text, fields, data.get("commands", ()))

    def _stop(self, event: Event) -> Message:
        data = event.data
        self._running = False
        title, kind, command = "Stopped and saved", Kind.STOP, f"recsys experiment resume {self._run_id}"
        if "cap_usd" in data:
            title, kind = f"Stopped at its cap of {format_usd(data['cap_usd'])}", Kind.CAP
            command += " --cap-usd MORE"
        return self._message(event, kind, title, data["reason"], self._progress(event), [command])

    def _fail(self, event: Event) -> Message:
        command = f"recsys experiment clone {self._run_id} NEW_NAME"
        reason = event.data["reason"]
        return self._message(event, Kind.FAILURE, "Failed", reason, self._progress(event), [command])

    def _complete(self, event: Event) -> Message:
        missed = [row for row in self._targets if not row["met"]]
        title, commands = "Completed", []
        if self._targets:
            title += f", {len(self._targets) - len(missed)} of {len(self._targets)} targets met"
        if missed:
            commands = [f"recsys experiment clone {self._run_id} NEW_NAME --modifications '{{...}}'"]
        metrics = final_metric_fields(self._metrics, self._best_epoch)
        fields = [*metrics, *target_fields(self._targets), *self._effort(event)]
        return self._message(event, Kind.END, title, fields=fields, commands=commands)

    def _evaluated(self, event: Event) -> None:
        part, metrics = event.data["part"], event.data["figures"]
        self._metrics.update(
            {run_metric_name(part, name): metrics[name] for name in _SHOWN if name in metrics}
        )

    def _targets_checked(self, event: Event) -> None:
        self._targets = event.data["targets"]

    @property
    def _best_epoch(self) -> Values | None:
        return next((record for record in reversed(self._history) if record["improved"]), None)

    def _progress(self, event: Event) -> Fields:
        return [*best_epoch_fields(self._best_epoch, self._config), *self._effort(event)]

    def _effort(self, event: Event) -> Fields:
        """Return time and cost of all attempts so far, and the device."""
        seconds = event.data.get("run_seconds")
        if seconds is None:
            return self._device
        price = get_nested(self._config, "resources", "price_usd_per_hour")
        return [*cost_fields(seconds, price, self._cap_usd), *self._device]


_COMPOSE: Mapping[str, Callable[[MessageBuilder, Event], Message | None]] = {
    "started": MessageBuilder._start,
    "resumed": MessageBuilder._resume,
    "epoch": MessageBuilder._epoch,
    "finding": MessageBuilder._finding,
    "contingency": MessageBuilder._contingency,
    "stopped": MessageBuilder._stop,
    "evaluated": MessageBuilder._evaluated,
    "gate": MessageBuilder._targets_checked,
    "completed": MessageBuilder._complete,
    "failed": MessageBuilder._fail,
}
