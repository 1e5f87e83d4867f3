"""Experiments as tables and text on a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from movielens_recsys.cli.fitted_table import FittedTable
from movielens_recsys.cli.output import console, warn
from movielens_recsys.errors import shorten

if TYPE_CHECKING:
    from movielens_recsys.experiments.templates import Template
    from movielens_recsys.runs.config import ExperimentConfig
    from movielens_recsys.runs.groups import RunGroup
    from movielens_recsys.runs.run import Run, RunMetric

NOTHING = "–"
_TARGET_RESULT = {True: "met", False: "missed", None: "not measured"}


def templates_table(templates: Sequence[Template]) -> FittedTable:
    """Return name and description of each template, what it learns from, and its tags."""
    rows = [
        (
            template.name,
            template.description,
            "ratings, interactions" if template.learns_from_interactions else "ratings",
            ", ".join(template.tags),
        )
        for template in templates
    ]
    columns = ["template", "description", "learns from", "tags"]
    return FittedTable("", columns, rows, lesser=["tags", "learns from"], wrapped=["description"])


def runs_table(runs: Sequence[Run], gone: set[str], sort: str) -> FittedTable:
    """Return one line per experiment: RMSE, or NDCG without ratings, the sorting metric, and cost."""
    from movielens_recsys.runs.cost import format_usd
    from movielens_recsys.runs.search import COSTS

    shown = [sort] if sort and sort not in COSTS else []
    rating_metrics = [] if all(run.implicit for run in runs) else ["val_rmse", "test_rmse"]
    ranking_metrics = ["val_ndcg_at_10_full", "test_ndcg_at_10_full"] if any(r.implicit for r in runs) else []
    metrics = [*dict.fromkeys([*rating_metrics, *ranking_metrics, *shown])]
    costs = [name for name in COSTS if rating_metrics or name != "usd_per_rmse_point"]
    rows = []
    for run in runs:
        values = [_number(run.metrics[name].value) if name in run.metrics else NOTHING for name in metrics]
        epochs = str(len(run.history) or NOTHING)
        values += [format_usd(getattr(run, name)) for name in costs]
        rows.append([run.id, _state(run, run.id in gone), epochs, *values, ", ".join(run.tags)])
    columns = ["id", "state", "epochs", *metrics, *costs, "tags"]
    lesser = [name for name in ("tags", *reversed(costs), "epochs", *reversed(metrics)) if name != sort]
    return FittedTable("", columns, rows, lesser=lesser)


def why_unfinished(run: Run) -> list[str]:
    """Return a line with the reason why a run was stopped, has failed or could not go on, if it has one."""
    word = "refused" if run.refused else run.state
    return [f"{run.id} {word}: {shorten(run.why, 160)}"] if run.why and run.state != "archived" else []


def ranking_table(group: RunGroup, metric: str, heading: str, top: int) -> FittedTable:
    """Return the best runs by one metric, with its interval; the title says on which data."""
    rows = [[run.id, str(run.metrics[metric]), run.template, ", ".join(run.tags)] for run in group.runs[:top]]
    shown = f"{min(top, len(group.runs))} of {len(group.runs)} comparable runs"
    columns = ["id", metric, "template", "tags"]
    return FittedTable(f"Best {heading}", columns, rows, caption=shown, lesser=["tags", "template"])


def print_run(run: Run, config: ExperimentConfig, folder: Path, gone: bool) -> None:
    """Print one experiment in full."""
    console.print(f"[bold]{run.id}[/bold]  {_state(run, gone)}", highlight=False)
    for line in _description_lines(run, config, folder, gone):
        console.print(line, highlight=False)
    if run.metrics:
        console.print(metrics_table(run, config.evaluation.confidence))
    if run.target_checks:
        console.print(targets_table(run.target_checks))
    if run.findings:
        console.print(findings_table(run.findings))
    if run.utilization:
        console.print(utilization_table(run.utilization))
    for row in run.contingencies:
        for line in contingency_lines(row):
            console.print(escape(line), highlight=False, soft_wrap=True)
    page = folder / "report.html"
    if page.is_file():
        console.print(f"report: {page}", highlight=False)


def _description_lines(run: Run, config: ExperimentConfig, folder: Path, gone: bool) -> list[str]:
    from movielens_recsys.runs.cost import describe_cost, resume_command
    from movielens_recsys.training.history import Convergence

    lines = [
        f"  template {run.template}, model {run.model}, created {run.created[:19]} UTC",
        f"  folder {escape(str(folder))}",
    ]
    if run.description:
        lines.append(f"  {escape(run.description)}")
    if run.tags:
        lines.append(f"  tags {escape(', '.join(run.tags))}")
    if run.data:
        lines.append(
            f"  data {escape(run.data['name'])} {run.data['hash'][:8]}, "
            f"split {run.split['name']} {run.split['hash'][:8]}, training seed {config.training.seed}"
        )
    if run.best_epoch is not None:
        loss = f"train_loss {as_text(run.metrics.get('train_loss'))}"
        lines.append(f"  best epoch {run.best_epoch} of {len(run.history)}, {loss}")
    if run.convergence is not None:
        lines.append(f"  {Convergence(**run.convergence)}")
    if run.attempts:
        lines.append(f"  cost {describe_cost(run)}")
    if run.evaluation:
        changes = ", ".join(f"{key} = {value}" for key, value in run.evaluation.items())
        lines.append(f"  evaluated otherwise than configured: {escape(changes)}")
    if run.reason:
        lines.append(f"  {run.state}: {escape(run.reason)}")
    if run.refused is not None:
        when = f"{run.refused.time[:16].replace('T', ' ')} UTC"
        lines.append(f"  refused at {when}: {escape(run.refused.reason)}")
    if run.fitted and run.resumable:
        lines.append(f"  trained and saved, not evaluated: `recsys experiment evaluate {run.id}` finishes it")
    if gone:
        lines.append(
            f"  its process is gone: resume it with `{resume_command(run)}`, start it over with "
            "`run`, or archive it"
        )
    return lines


def metrics_table(run: Run, confidence: float) -> FittedTable:
    """Return every metric with its interval, with validation and test as columns."""
    from movielens_recsys.evaluation.metric_name import MetricName

    names = sorted(map(MetricName.parse, run.metrics), key=lambda name: name.sort_key)
    metrics = dict.fromkeys(name.on("") for name in names if name.part in {"validation", "test"})
    cells = [[run.metrics.get(str(name.on(part))) for part in ("validation", "test")] for name in metrics]
    rows = [[str(name), *map(as_text, row)] for name, row in zip(metrics, cells, strict=True)]
    narrow = [[str(name), *map(as_short_text, row)] for name, row in zip(metrics, cells, strict=True)]
    title = f"Metrics [{confidence:.0%} interval]: {run.split['name']} of {run.data['name']}"
    return FittedTable(title, ["metric", "validation", "test"], rows, caption=run.relevance, narrow=narrow)


def targets_table(checks: Sequence[Mapping[str, Any]]) -> FittedTable:
    """Return the targets with the measured metrics; the loss has a separate column."""
    rows = [
        [
            row["metric"],
            row["protocol"],
            row["target"],
            _number(row["validation"]),
            _TARGET_RESULT[row["met"]],
            _number(row["test"]),
            _number(row.get("val_loss")),
        ]
        for row in checks
    ]
    columns = ["metric", "protocol", "target", "validation", "result", "test", "val_loss"]
    return FittedTable(
        "Targets, checked on validation",
        columns,
        rows,
        caption="val_loss is not an RMSE",
        lesser=["protocol", "val_loss"],
    )


def findings_table(findings: Sequence[Mapping[str, Any]]) -> FittedTable:
    """Return the preflight findings and early warnings, with time and advice."""
    rows = [
        [row["name"], _when(row), f"{row['value']:.4g}", f"{row['threshold']:g}", row["advice"]]
        for row in findings
    ]
    columns = ["finding", "when", "measured", "threshold", "next step"]
    return FittedTable("Warnings", columns, rows, lesser=["threshold", "measured"], wrapped=["next step"])


def utilization_table(events: Sequence[Mapping[str, Any]]) -> FittedTable:
    """Return the hardware utilization during training."""
    from movielens_recsys.training.hardware_monitor import as_rows

    return FittedTable("Hardware utilization", ["while training", "mean", "maximum"], as_rows(events))


def contingency_lines(row: Mapping[str, Any]) -> list[str]:
    """Return the lines of a contingency: the changes made, or the suggested commands."""
    verb = "taken" if row["mode"] == "auto" else "suggested"
    lines = [f"contingency {verb} at epoch {row['epoch']} for {row['cause']}: {row['action']}"]
    lines += [
        f"  training.{key}: {values['old']} -> {values['new']}" for key, values in row["changes"].items()
    ]
    return lines + [f"  {command}" for command in row["commands"]]


def _when(finding: Mapping[str, Any]) -> str:
    if "epoch" in finding:
        return f"epoch {finding['epoch']}"
    return "creation, accepted" if finding["accepted"] else "creation"


def print_dry_run(plan: dict[str, Any]) -> None:
    """Print what a run would do."""
    from movielens_recsys.runs.cost import format_usd

    data, split = plan["data"], plan["split"]
    heading = f"[bold]{escape(plan['name'])}[/bold]  a new experiment; nothing was created"
    if plan["id"] is not None:
        gone = " (process gone)" * plan["process_gone"]
        heading = f"[bold]{plan['id']}[/bold]  {plan['state']}{gone}; nothing was changed"
    console.print(heading, highlight=False)
    console.print(
        f"  data   {escape(data['name'])}: {data['ratings']:,} ratings, {data['users']:,} users, "
        f"{data['items']:,} items, hash {data['hash'][:8]}\n"
        f"  split  {split['name']}: {split['train']:,} train, {split['validation']:,} validate, "
        f"{split['test']:,} test, hash {split['hash'][:8]}\n"
        f"  model  {plan['model']['name']}, {plan['parameters']:,} parameters\n"
        f"  work   at most {plan['epochs_at_most']} epochs of {plan['steps_an_epoch']:,} steps, "
        f"about {plan['seconds_at_most']:.0f} s on this machine, {format_usd(plan['usd_at_most'])}",
        highlight=False,
    )
    for notice in plan["notices"]:
        warn(notice)
    for name, value in plan["targets"].items():
        console.print(f"  target {name} {value:g}", highlight=False)


def _state(run: Run, gone: bool) -> str:
    return f"{run.state} (process gone)" if gone else str(run.state)


def as_text(metric: RunMetric | None) -> str:
    """Return a metric with its interval, or a dash."""
    return NOTHING if metric is None else str(metric)


def as_short_text(metric: RunMetric | None) -> str:
    """Return a metric with an interval of two decimals, or a dash."""
    if metric is None or metric.low is None or metric.high is None:
        return as_text(metric)
    return f"{metric.value:.4f} [{metric.low:.2f}, {metric.high:.2f}]"


def _number(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.4f}"
