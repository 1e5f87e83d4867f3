"""How ensembles look on a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from movielens_recsys.cli.output import columns, console, table

if TYPE_CHECKING:
    from movielens_recsys.data.splits.split import HeldOutPart
    from movielens_recsys.runs.run import Run

NOTHING = "–"


def print_ensemble(values: Mapping[str, Any], runs: Sequence[Run]) -> None:
    """Print everything that a person wants to know of one ensemble."""
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
    _print_figures(values)


def _print_unfinished(values: Mapping[str, Any], runs: Sequence[Run]) -> None:
    rows = [[run.id, str(run.state), run.template, _figure(run, "val_rmse")] for run in runs]
    console.print(table("Members", ["experiment", "state", "template", "val_rmse"], rows))
    if values["state"] != "running":
        console.print(f"go on with it: recsys ensemble run {values['name']}", highlight=False)


def _print_blends(values: Mapping[str, Any], parts: Sequence[HeldOutPart]) -> None:
    rows = [[name, *(f"{row[part]:.4f}" for part in parts)] for name, row in values["blends"].items()]
    how = "the best of those on validation" if values["asked_blend"] == "auto" else "as asked"
    console.print(
        table(
            f"Blend: {values['blend']}, {how}",
            ["RMSE", *parts],
            rows,
            caption="validation: each row blended by what was fitted to the other folds",
        )
    )
    for part in parts:
        console.print(
            f"  {part}: {_difference(values['against_best'][part])} against the best member, "
            f"{values['best_member']}",
            highlight=False,
            markup=False,
        )


def _print_members(values: Mapping[str, Any], parts: Sequence[HeldOutPart]) -> None:
    from movielens_recsys.evaluation.metric_name import PART_PREFIXES

    short = [PART_PREFIXES[part].removesuffix("_") for part in parts]
    heads = [f"{what} {part}" for what in ("rmse", "without it,") for part in short]
    rows = [["member", "weight", *heads]]
    for member in values["members"]:
        own = [f"{member['rmse'][part]:.4f}" for part in parts]
        without = [f"{member['without'][part]:.4f} ({_difference(member['adds'][part])})" for part in parts]
        rows.append([member["run"], f"{member['weight']:.3f}", *own, *without])
    console.print("What each member adds", highlight=False, style="italic")
    console.print(columns(rows), highlight=False, markup=False)
    console.print(
        "in brackets: the ensemble's RMSE minus that; below 0 the member helps; intervals over users\n",
        highlight=False,
        style="dim",
    )


def _print_figures(values: Mapping[str, Any]) -> None:
    from movielens_recsys.cli.experiment.tables import figures_table, gate_table
    from movielens_recsys.runs.run import Run, RunMetric

    figures = {name: RunMetric(**figure) for name, figure in values["figures"].items()}
    judged = Run(values["name"], figures=figures, data=values["data"], split=values["split"])
    console.print(figures_table(judged, values["reports"]["test"]["confidence"]))
    if values["gate"]:
        console.print(gate_table(values["gate"]))
    console.print(f"report: {values['folder']}/report.html", highlight=False, markup=False)


def print_rehearsal(values: Mapping[str, Any]) -> None:
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
    console.print(table("Members", ["member", "state", "template", "model", "seed"], rows))


def ensembles_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return one line per ensemble, in plain columns."""
    if not rows:
        return "none yet; `recsys ensemble run NAME --template TEMPLATE` makes one"
    cells = [["name", "state", "members", "blend", "val_rmse", "test_rmse"]]
    for row in rows:
        figures = (row["val_rmse"], row["test_rmse"])
        numbers = [NOTHING if value is None else f"{value:.4f}" for value in figures]
        cells.append([row["name"], row["state"], str(len(row["members"])), row["blend"], *numbers])
    return columns(cells)


def _difference(verdict: Mapping[str, Any]) -> str:
    return f"{verdict['difference']:+.4f} [{verdict['low']:+.4f}, {verdict['high']:+.4f}]"


def _figure(run: Run, name: str) -> str:
    return str(run.figures[name]) if name in run.figures else NOTHING
