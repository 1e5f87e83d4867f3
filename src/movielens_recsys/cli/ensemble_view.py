"""Ensembles as text on a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from movielens_recsys.cli.fitted_table import FittedTable
from movielens_recsys.cli.output import console

if TYPE_CHECKING:
    from movielens_recsys.data.splits.split import HeldOutPart
    from movielens_recsys.runs.run import Run

NOTHING = "–"


def print_ensemble(values: Mapping[str, Any], runs: Sequence[Run]) -> None:
    """Print one ensemble: blends, members and metrics."""
    console.print(f"[bold]{values['name']}[/bold]  {values['state']}", highlight=False)
    console.print(
        f"  created {values['created'][:19]} UTC, folder {escape(values['folder'])}", highlight=False
    )
    if "figures" not in values:
        _print_unfinished(values, runs)
        return
    data, split = values["data"], values["split"]
    console.print(
        f"  data {escape(data['name'])} {data['hash'][:8]}, split {split['name']} {split['hash'][:8]}",
        highlight=False,
    )
    parts: list[HeldOutPart] = list(values["against_best"])
    _print_blends(values, parts)
    _print_members(values, parts)
    _print_metrics(values)


def _print_unfinished(values: Mapping[str, Any], runs: Sequence[Run]) -> None:
    rows = [[run.id, str(run.state), run.template, _metric(run, "val_rmse")] for run in runs]
    console.print(
        FittedTable("Members", ["experiment", "state", "template", "val_rmse"], rows, lesser=["template"])
    )
    if values["state"] != "running":
        console.print(f"resume it: recsys ensemble run {values['name']}", highlight=False)


def _print_blends(values: Mapping[str, Any], parts: Sequence[HeldOutPart]) -> None:
    rows = [[name, *(f"{row[part]:.4f}" for part in parts)] for name, row in values["blends"].items()]
    how = "the best of these on validation" if values["asked_blend"] == "auto" else "as requested"
    console.print(
        FittedTable(
            f"Blend: {values['blend']}, {how}",
            ["RMSE", *parts],
            rows,
            caption="validation: each row is blended by a fit to the other folds",
        )
    )
    for part in parts:
        console.print(
            f"  {part}: {_difference(values['against_best'][part])} compared with the best member, "
            f"{values['best_member']}",
            highlight=False,
            markup=False,
        )


def _print_members(values: Mapping[str, Any], parts: Sequence[HeldOutPart]) -> None:
    from movielens_recsys.evaluation.metric_name import PART_PREFIXES

    prefixes = [PART_PREFIXES[part].removesuffix("_") for part in parts]
    headers = [f"{column} {prefix}" for column in ("rmse", "without it,") for prefix in prefixes]
    rows = []
    for member in values["members"]:
        own_rmse = [f"{member['rmse'][part]:.4f}" for part in parts]
        without = [f"{member['without'][part]:.4f} ({_difference(member['adds'][part])})" for part in parts]
        rows.append([member["run"], f"{member['weight']:.3f}", *own_rmse, *without])
    columns = ["member", "weight", *headers]
    console.print(FittedTable("What each member adds", columns, rows, lesser=_lesser_columns(headers)))
    console.print(
        "in brackets: the ensemble's RMSE minus that; below 0 the member helps; intervals over users",
        highlight=False,
        style="dim",
    )
    for member in values["members"]:
        if "same_as" in member:
            console.print(
                f"{member['run']} predicts the same ratings as {member['same_as']}: one of them is enough",
                highlight=False,
                markup=False,
            )
    console.print()


def _lesser_columns(headers: Sequence[str]) -> list[str]:
    """Return the columns of what members add in the order in which a narrow terminal leaves them out."""
    return sorted(headers, key=lambda name: (not name.endswith("val"), not name.startswith("without")))


def _print_metrics(values: Mapping[str, Any]) -> None:
    from movielens_recsys.cli.experiment.tables import metrics_table, targets_table
    from movielens_recsys.runs.run import Run, RunMetric

    metrics = {name: RunMetric(**metric) for name, metric in values["figures"].items()}
    test = values["reports"]["test"]
    ensemble = Run(
        values["name"],
        metrics=metrics,
        data=values["data"],
        split=values["split"],
        relevance_threshold=test.get("relevance_threshold", test.get("relevant_from")),
        relevant_share=test.get("relevant_share"),
    )
    console.print(metrics_table(ensemble, values["reports"]["test"]["confidence"]))
    if values["gate"]:
        console.print(targets_table(values["gate"]))
    console.print(f"report: {values['folder']}/report.html", highlight=False, markup=False)


def print_dry_run(values: Mapping[str, Any]) -> None:
    """Print what running an ensemble would do."""
    rows = [
        [row["member"], row["state"], row["template"], row["model"], str(row["seed"])]
        for row in values["members"]
    ]
    console.print(f"[bold]{values['name']}[/bold]  nothing was changed", highlight=False)
    console.print(
        f"  data {escape(str(values['data']['path'] or values['data']['name']))}, split "
        f"{values['split']['protocol']}, blend {values['blend']}",
        highlight=False,
    )
    columns = ["member", "state", "template", "model", "seed"]
    console.print(FittedTable("Members", columns, rows, lesser=["model", "template"]))


def print_ensembles(rows: Sequence[Mapping[str, Any]], folder: Path) -> None:
    """Print one line per ensemble, or where they would be."""
    if not rows:
        console.print(
            f"no ensembles in {folder}; `recsys ensemble run NAME --template TEMPLATE` creates one",
            highlight=False,
            markup=False,
        )
        return
    cells = []
    for row in rows:
        metrics = (row["val_rmse"], row["test_rmse"])
        numbers = [NOTHING if value is None else f"{value:.4f}" for value in metrics]
        cells.append([row["name"], row["state"], str(len(row["members"])), row["blend"], *numbers])
    columns = ["name", "state", "members", "blend", "val_rmse", "test_rmse"]
    console.print(FittedTable("", columns, cells, lesser=["blend", "members"]))


def _difference(difference: Mapping[str, Any]) -> str:
    return f"{difference['difference']:+.4f} [{difference['low']:+.4f}, {difference['high']:+.4f}]"


def _metric(run: Run, name: str) -> str:
    return str(run.metrics[name]) if name in run.metrics else NOTHING
