"""The live view of a run on a terminal."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from movielens_recsys.cli.sparklines import sparkline
from movielens_recsys.runs.config import ExperimentConfig
from movielens_recsys.runs.cost import describe_cost, resume_command
from movielens_recsys.runs.heartbeat import HeartbeatRecord
from movielens_recsys.runs.phase import RunPhase
from movielens_recsys.runs.progress import Progress
from movielens_recsys.runs.run import Run
from movielens_recsys.schema import RunState
from movielens_recsys.training.hardware_monitor import LABELS, as_text, overall

CURVE_HEIGHT = 4
WARNINGS_SHOWN = 5
_STYLES = {
    RunState.RUNNING: "bold green",
    RunState.COMPLETED: "bold green",
    RunState.STOPPED: "bold yellow",
    RunState.FAILED: "bold red",
}


def run_panel(
    run: Run, config: ExperimentConfig, progress: Progress, heartbeat: HeartbeatRecord | None, *, gone: bool
) -> RenderableType:
    """Return all parts of the view of a run."""
    parts: list[RenderableType] = [_title(run, progress, gone), *_position(run, progress, gone)]
    if run.history:
        has_kl = any(record["val_kl"] != 0 for record in run.history)
        kl = f" + {config.training.kl_weight:g} × KL" if has_kl else ""
        loss_formula = f"MSE{kl}, not an RMSE"
        parts += [
            _MetricCurve("val_rmse", "in ratings", run.history),
            _MetricCurve("val_loss", loss_formula, run.history),
        ]
    parts += _warnings(run)
    parts += _hardware(run, heartbeat)
    parts.append(Text(_next_step(run, progress, gone), style="dim"))
    return Group(*parts)


def _title(run: Run, progress: Progress, gone: bool) -> Text:
    title = Text(run.id, style="bold")
    title.append("  ")
    if gone:
        return title.append("running, but its process is gone", style="bold red")
    if progress.phase is not None:
        return title.append(f"running: {progress.phase}", style=_STYLES[RunState.RUNNING])
    return title.append(str(run.state), style=_STYLES.get(run.state, "bold"))


def _position(run: Run, progress: Progress, gone: bool) -> Iterator[RenderableType]:
    """Yield progress, remaining time and cost."""
    if run.state is RunState.PLANNED:
        return
    yield _epochs(run, progress)
    yield Text("; ".join([*_time_left(progress, gone), f"spent {describe_cost(run)}"]))
    if run.reason:
        yield Text(run.reason, style="yellow")


def _epochs(run: Run, progress: Progress) -> RenderableType:
    """Return the epochs so far, beside a bar while there are more to come."""
    done = f"{progress.epochs_done} of at most {progress.epochs} epochs"
    if progress.phase in {RunPhase.EVALUATING, RunPhase.SAVING}:
        return Text(f"trained: {done}")
    if progress.steps:
        done += f", step {progress.step:,} of {progress.steps:,} in the next"
    row = Table.grid(padding=(0, 1))
    bar = [] if run.state.finished else [ProgressBar(total=1.0, completed=progress.share, width=30)]
    row.add_row(*bar, Text(done))
    return row


def _time_left(progress: Progress, gone: bool) -> Iterator[str]:
    if gone or progress.left_at_most_s is None or progress.left_if_no_better_s is None:
        return
    yield f"at most {describe_seconds(progress.left_at_most_s)} of training left"
    if progress.left_if_no_better_s < progress.left_at_most_s:
        yield f"{describe_seconds(progress.left_if_no_better_s)} if no further epoch improves"
    if progress.silent_s is not None and progress.silent_s > 10:
        yield f"last heartbeat {describe_seconds(progress.silent_s)} ago"


class _MetricCurve:
    """One metric by epoch, as wide as the terminal, with its last and lowest values."""

    def __init__(self, name: str, unit: str, history: Sequence[Mapping[str, Any]]) -> None:
        self._name, self._unit = name, unit
        self._values = [math.nan if record[name] is None else float(record[name]) for record in history]
        self._measured = [
            (value, record["epoch"])
            for value, record in zip(self._values, history, strict=True)
            if math.isfinite(value)
        ]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if not self._measured:
            return
        (lowest, epoch), (last, _) = min(self._measured), self._measured[-1]
        yield Text.assemble(
            ("\n" + self._name, "bold"),
            f"  last {last:.4f}, lowest {lowest:.4f} at epoch {epoch}",
            (f"  {self._unit}", "dim"),
        )
        for line in sparkline(self._values, options.max_width - 1, CURVE_HEIGHT):
            yield Text(line, style="cyan", no_wrap=True)


def _warnings(run: Run) -> Iterator[Text]:
    """Yield the last few warnings and contingencies, in the order of their epochs."""
    lines = [
        (row["epoch"], f"{row['name']} {row['value']:.4g} against {row['threshold']:g}: {row['advice']}")
        for row in run.findings
        if "epoch" in row
    ]
    lines += [
        (
            row["epoch"],
            f"{row['cause']}: {row['action']} ({'taken' if row['mode'] == 'auto' else 'suggested'})",
        )
        for row in run.contingencies
    ]
    for epoch, line in sorted(lines, key=lambda row: row[0])[-WARNINGS_SHOWN:]:
        yield Text.assemble((f"epoch {epoch}: ", "yellow"), line)


def _hardware(run: Run, heartbeat: HeartbeatRecord | None) -> Iterator[Text]:
    """Yield the current utilization of the hardware, or its means over the run."""
    if heartbeat:
        values, when = heartbeat.utilization, "now"
    else:
        values, when = {name: mean for name, (mean, _) in overall(run.utilization).items()}, "mean"
    parts = [f"{label} {as_text(name, values[name])}" for name, label in LABELS.items() if name in values]
    if parts:
        yield Text(f"machine, {when}: {'; '.join(parts)}", style="dim")


def _next_step(run: Run, progress: Progress, gone: bool) -> str:
    if progress.phase is not None:
        return "Ctrl-C does not stop the run"
    if gone or run.state is RunState.STOPPED:
        return f"resume it: {resume_command(run)}"
    if run.state is RunState.PLANNED:
        return f"it has not started; to start it: recsys experiment run {run.id}"
    return f"metrics and configuration: recsys experiment show {run.id}"


def describe_seconds(seconds: float) -> str:
    """Return a duration as text.

    >>> describe_seconds(8.4), describe_seconds(3725)
    ('8 s', '1:02:05')
    """
    return f"{seconds:.0f} s" if seconds < 60 else str(timedelta(seconds=round(seconds)))
