"""`MessageBuilder`: from the events of one run to the messages that they are worth.

Messages follow from events alone, so that the log is also the list of what is to be told, and a message
that was told twice says the same twice. These events are worth one:

| event | message |
| --- | --- |
| started, resumed | start |
| epoch that improved | new best |
| finding | warning |
| contingency | contingency; in mode ``suggest``, one that was not taken |
| stopped | stop; with ``cap_usd`` in its data, cap |
| completed | end |
| failed | failure |
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from movielens_recsys.evaluation.metric_name import run_metric
from movielens_recsys.notify.messages import Kind, Message

Values = Mapping[str, Any]
Fields = list[tuple[str, str]]

LOSS = "MSE + KL weight × KL, not an RMSE"
_SHOWN = ("rmse", "ndcg_at_10_full", "ndcg_at_10_rated", "precision_at_10_full", "precision_at_10_rated")


class MessageBuilder:
    """Reads one run's events in order and remembers what later messages need.

    Parameters
    ----------
    run_id
        The run's id, for the commands it advises.
    config
        The run's configuration as plain values; what is missing there is left out of the messages.
    """

    def __init__(self, run_id: str, config: Values) -> None:
        self._run_id, self._config = run_id, config
        self._cap_usd = _get(config, "resources", "cap_usd")
        self._running = False
        self._device: Fields = []
        self._begin()

    def _begin(self) -> None:
        self._history: list[Values] = []
        self._told: set[tuple[int, float | None]] = set()
        self._figures: dict[str, Values] = {}
        self._gate: list[Values] = []

    def build(self, event: Values) -> Message | None:
        """Return what the event is worth telling, or None.

        An event that this version cannot read is told as what it is, without its details.
        """
        compose = _COMPOSE.get(event["kind"])
        if compose is None:
            return None
        try:
            return compose(self, event)
        except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError):
            return self._message(event, Kind.WARNING, f"An event that cannot be read: {event['kind']}")

    def _message(
        self,
        event: Values,
        kind: Kind,
        title: str,
        text: str = "",
        fields: Sequence[tuple[str, str]] = (),
        commands: Sequence[str] = (),
    ) -> Message:
        steps = tuple(commands) or (f"recsys experiment show {self._run_id}",)
        return Message(
            self._run_id, event["sequence"], event["time"], kind, title, text, tuple(fields), steps
        )

    def _start(self, event: Values) -> Message:
        self._begin()
        self._device, self._running = self._device_of(event), True
        return self._message(event, Kind.START, "Started", fields=[*self._plan(), *self._device])

    def _resume(self, event: Values) -> Message:
        text = "Its process had died without a word." if self._running else ""
        self._device, self._running = self._device_of(event), True
        self._cap_usd = event["data"].get("cap_usd", self._cap_usd)
        fields = [("attempt", f"{event['data']['attempt']}"), *self._best_figures(), *self._effort(event)]
        return self._message(event, Kind.START, "Resumed", text, fields)

    def _epoch(self, event: Values) -> Message | None:
        record = event["data"]
        # A crash between an epoch's event and its checkpoint repeats that epoch, to the same figures; a
        # contingency may go back further, to other ones.
        while self._history and self._history[-1]["epoch"] >= record["epoch"]:
            self._history.pop()
        self._history.append(record)
        figures = record["epoch"], record["val_rmse"]
        if not record["improved"] or figures in self._told:
            return None
        self._told.add(figures)
        title = f"New best: val_rmse {_number(record['val_rmse'])} at epoch {record['epoch']}"
        return self._message(event, Kind.BEST, title, fields=[*self._best_figures(), *self._effort(event)])

    def _finding(self, event: Values) -> Message:
        found = event["data"]
        against = "" if found["threshold"] is None else f" against {found['threshold']:g}"
        title = f"Warning: {found['name']} {found['value']:.4g}{against}"
        if "epoch" in found:
            title += f" at epoch {found['epoch']}"
        fields = [*self._best_figures(), *self._effort(event)]
        return self._message(event, Kind.WARNING, title, found["advice"], fields)

    def _contingency(self, event: Values) -> Message:
        data = event["data"]
        what = "Suggested" if data.get("mode") == "suggest" else "Contingency"
        title = f"{what}: {data['cause']}"
        if "epoch" in data:
            title += f" at epoch {data['epoch']}"
        changes = [
            (name, f"{_value(change['old'])} → {_value(change['new'])}")
            for name, change in data.get("changes", {}).items()
        ]
        fields = [*changes, *self._best_figures(), *self._effort(event)]
        text = ": ".join(data[name] for name in ("action", "reason") if data.get(name))
        return self._message(event, Kind.CONTINGENCY, title, text, fields, data.get("commands", ()))

    def _stop(self, event: Values) -> Message:
        data = event["data"]
        self._running = False
        fields = [*self._best_figures(), *self._effort(event)]
        title, kind, command = "Stopped and saved", Kind.STOP, f"recsys experiment resume {self._run_id}"
        if "cap_usd" in data:
            title, kind = f"Stopped at its cap of {_usd(data['cap_usd'])}", Kind.CAP
            command += " --cap-usd MORE"
        return self._message(event, kind, title, data["reason"], fields, [command])

    def _fail(self, event: Values) -> Message:
        fields = [*self._best_figures(), *self._effort(event)]
        command = f"recsys experiment clone {self._run_id} NEW_NAME"
        return self._message(event, Kind.FAILURE, "Failed", event["data"]["reason"], fields, [command])

    def _complete(self, event: Values) -> Message:
        missed = [row for row in self._gate if not row["met"]]
        title, commands = "Completed", []
        if self._gate:
            title += f", {len(self._gate) - len(missed)} of {len(self._gate)} targets met"
        if missed:
            commands = [f"recsys experiment clone {self._run_id} NEW_NAME --modifications '{{...}}'"]
        fields = [*self._measured(), *self._targets(), *self._effort(event)]
        return self._message(event, Kind.END, title, fields=fields, commands=commands)

    def _evaluated(self, event: Values) -> None:
        part, figures = event["data"]["part"], event["data"]["figures"]
        self._figures.update({run_metric(part, name): figures[name] for name in _SHOWN if name in figures})

    def _gated(self, event: Values) -> None:
        self._gate = event["data"]["targets"]

    def _plan(self) -> Fields:
        """Return what the run is, from its configuration."""
        config = self._config
        fields = [
            ("model", str(_get(config, "model", "name"))),
            ("data", f"{_get(config, 'data', 'name')}, {_get(config, 'split', 'protocol')} split"),
            ("epochs at most", str(_get(config, "training", "epochs"))),
        ]
        targets = _get(config, "targets") or {}
        wanted = [
            f"{name} {'<' if name == 'rmse' else '>'} {value:g}" for name, value in targets.items() if value
        ]
        return [*fields, ("targets", ", ".join(wanted))] if wanted else fields

    @staticmethod
    def _device_of(event: Values) -> Fields:
        found = event["data"]["environment"]
        return [("device", f"{found['device']}, {found['cpus']} processors, {found['machine']}")]

    @property
    def _best(self) -> Values | None:
        """The record of the best epoch so far."""
        return next((record for record in reversed(self._history) if record["improved"]), None)

    def _best_figures(self) -> Fields:
        """Return RMSE and loss of the best epoch, each under its name, the RMSE beside its target."""
        best = self._best
        if best is None:
            return []
        target = _get(self._config, "targets", "rmse")
        rmse = best["val_rmse"]
        reached = "met" if rmse is not None and target and rmse < target else "not met"
        against = f" (target < {target:g}: {reached})" if target else ""
        epochs = _get(self._config, "training", "epochs")
        return [
            ("val_rmse", f"{_number(rmse)} stars{against}"),
            ("val_loss", f"{_number(best['val_loss'])} ({LOSS})"),
            ("best epoch", f"{best['epoch']} of at most {epochs}"),
        ]

    def _measured(self) -> Fields:
        """Return the final figures with their intervals, and the best epoch's loss under its own name."""
        fields = [(name, _interval(figure)) for name, figure in self._figures.items()]
        best = self._best
        if best is not None:
            fields.append(("val_loss", f"{_number(best['val_loss'])} ({LOSS})"))
            fields.append(("best epoch", str(best["epoch"])))
        return fields

    def _targets(self) -> Fields:
        verdicts = {True: "met", False: "missed", None: "not measured"}
        return [
            (
                f"target {row['metric']} {row['target']}",
                f"{verdicts[row['met']]}: validation {_number(row['validation'])}, "
                f"test {_number(row['test'])}; {row['protocol']}",
            )
            for row in self._gate
        ]

    def _effort(self, event: Values) -> Fields:
        """Return the time of all attempts by the run's own meter, the money, and the device they bought."""
        seconds = event["data"].get("run_seconds")
        if seconds is None:
            return self._device
        price, cost = _get(self._config, "resources", "price_usd_per_hour"), "$0 (own machine)"
        if price:
            cost = f"{_usd(seconds / 3600 * price)} of {_usd(self._cap_usd)}, at {_usd(price)} an hour"
        return [("duration", str(timedelta(seconds=round(seconds)))), ("cost", cost), *self._device]


_COMPOSE: Mapping[str, Callable[[MessageBuilder, Values], Message | None]] = {
    "started": MessageBuilder._start,
    "resumed": MessageBuilder._resume,
    "epoch": MessageBuilder._epoch,
    "finding": MessageBuilder._finding,
    "contingency": MessageBuilder._contingency,
    "stopped": MessageBuilder._stop,
    "evaluated": MessageBuilder._evaluated,
    "gate": MessageBuilder._gated,
    "completed": MessageBuilder._complete,
    "failed": MessageBuilder._fail,
}


def _get(values: Any, *keys: str) -> Any:
    """Return the nested value, or None where a key on the way is missing."""
    for key in keys:
        values = values.get(key) if isinstance(values, Mapping) else None
    return values


def _usd(amount: float) -> str:
    return f"${amount:,.2f}" if amount >= 0.1 else f"${amount:.4f}"


def _value(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else json.dumps(value)


def _number(value: float | None) -> str:
    return "not a number" if value is None else f"{value:.4f}"


def _interval(figure: Values) -> str:
    if figure["low"] is None or figure["high"] is None:
        return _number(figure["value"])
    return f"{_number(figure['value'])} [{figure['low']:.4f}, {figure['high']:.4f}]"
