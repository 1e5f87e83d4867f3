"""Inspecting experiments: list, search, show, compare and export them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from movielens_recsys.cli import completion
from movielens_recsys.cli.arguments import Id, Ids, SomeIds, find_run
from movielens_recsys.cli.output import Json, console, echo, emit, err_console, warn
from movielens_recsys.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from movielens_recsys.runs.run import Run
    from movielens_recsys.runs.search import Selection
    from movielens_recsys.settings import Settings

Statuses = Annotated[
    list[str] | None,
    typer.Option(
        "--status",
        help="planned, running, stopped, completed, failed or archived; may be repeated.",
        autocompletion=completion.states,
    ),
]
Tags = Annotated[list[str] | None, typer.Option("--tag", help="Only those with this tag; may be repeated.")]
TemplateName = Annotated[
    str,
    typer.Option(
        "--template", help="Only those created from this template.", autocompletion=completion.templates
    ),
]
Since = Annotated[str, typer.Option(metavar="DATE", help="Only those created then or later (UTC).")]
Until = Annotated[str, typer.Option(metavar="DATE", help="Only those created then or earlier (UTC).")]
Sort = Annotated[str, typer.Option(metavar="METRIC", help="Sort by this metric, best first.")]


def list_(
    status: Statuses = None,
    tag: Tags = None,
    template: TemplateName = "",
    sort: Sort = "",
    all: Annotated[bool, typer.Option("--all", help="Include archived ones.")] = False,
    json: Json = False,
) -> None:
    """List experiments, oldest first."""
    from movielens_recsys.runs.search import Selection

    _list(Selection(_states(status), tag or (), template, archived=all), sort, json)


def search(
    name: Annotated[str, typer.Argument(help="Part of the name.")] = "",
    where: Annotated[
        list[str] | None, typer.Option(metavar="CONDITION", help="E.g. 'val_rmse<0.95'; may be repeated.")
    ] = None,
    status: Statuses = None,
    tag: Tags = None,
    template: TemplateName = "",
    since: Since = "",
    until: Until = "",
    sort: Sort = "",
    json: Json = False,
) -> None:
    """Find experiments by name, metric, status, tag, template and date; archived ones too."""
    from movielens_recsys.runs.search import Selection, parse_condition, parse_timestamp

    selection = Selection(
        _states(status),
        tag or (),
        template,
        name,
        parse_timestamp(since) if since else None,
        parse_timestamp(until, end_of_day=True) if until else None,
        [parse_condition(text) for text in where or ()],
        archived=True,
    )
    _list(selection, sort, json)


def _states(names: list[str] | None) -> list[Any]:
    from movielens_recsys.schema import RunState

    known = [state.value for state in RunState]
    for name in names or ():
        if name not in known:
            raise UnknownNameError("status", name, known)
    return [RunState(name) for name in names or ()]


def _list(selection: Selection, sort: str, as_json: bool) -> None:
    from movielens_recsys.cli.experiment.tables import runs_table, why_unfinished
    from movielens_recsys.runs.event_writer import is_orphaned
    from movielens_recsys.runs.search import select_runs
    from movielens_recsys.settings import load_settings

    settings = load_settings()
    runs = _all_runs(settings)
    found = select_runs(runs, selection, sort=sort)
    gone = {run.id for run in found if is_orphaned(run, settings)}

    def render() -> None:
        if found:
            console.print(runs_table(found, gone, sort))
            for line in (line for run in found for line in why_unfinished(run)):
                console.print(line, highlight=False, markup=False, soft_wrap=True)
        else:
            console.print(_nothing_found(runs, selection, settings), highlight=False, markup=False)

    emit([_as_json(run, run.id in gone) for run in found], as_json=as_json, render=render)


def _nothing_found(runs: list[Run], selection: Selection, settings: Settings) -> str:
    """Return where experiments were looked for, and the next step."""
    from movielens_recsys.runs.store import run_ids

    n_runs = len(run_ids(settings))
    known = {tag for run in runs for tag in run.tags}
    unknown = [tag for tag in selection.tags if tag not in known]
    if known and unknown:
        return f"no experiment has the tag {unknown[0]!r}; the tags are {', '.join(sorted(known))}"
    if n_runs:
        return f"none of the {n_runs} in {settings.runs.absolute()}; `recsys experiment list --all` shows all"
    return (
        f"no experiments in {settings.runs.absolute()} (RECSYS_HOME sets the folder); "
        "`recsys experiment templates` lists templates, `recsys experiment run TEMPLATE` runs a new one"
    )


def _all_runs(settings: Settings, *, without: str = "utilization") -> list[Run]:
    from movielens_recsys.runs.store import load_runs

    runs, errors = load_runs(settings, without=without)
    for error in errors:
        warn(f"skipped: {error}")
    return runs


def _as_json(run: Run, process_gone: bool) -> dict[str, Any]:
    return {**run.to_json(), "process_gone": process_gone}


def show(id: Id, json: Json = False) -> None:
    """Show one experiment: state, data, cost, metrics, targets and warnings."""
    from movielens_recsys.cli.experiment.tables import print_run
    from movielens_recsys.runs import event_writer, store
    from movielens_recsys.settings import load_settings

    settings = load_settings()
    run = store.load_run(find_run(id, settings), settings)
    config = store.load_evaluated_config(run, settings)
    gone = event_writer.is_orphaned(run, settings)
    folder = store.run_folder(run.id, settings)
    emit(
        {**_as_json(run, gone), "folder": str(folder), "config": config.model_dump(mode="json")},
        as_json=json,
        render=lambda: print_run(run, config, folder, gone),
    )


def compare(
    ids: Ids,
    all: Annotated[bool, typer.Option("--all", help="Show every metric, of every part.")] = False,
    json: Json = False,
) -> None:
    """Compare experiments: the differences of their configurations, and their metrics on the test part."""
    from movielens_recsys.cli.experiment.comparison_view import print_comparison
    from movielens_recsys.runs import comparison, store
    from movielens_recsys.settings import load_settings

    settings = load_settings()
    found = list(dict.fromkeys(find_run(id, settings) for id in ids))
    if len(found) < 2:
        raise UsageError(
            "one experiment cannot be compared", expected="at least two ids", next_step="name another one"
        )
    runs = [store.load_run(run_id, settings) for run_id in found]
    result = comparison.compare_runs(runs, [store.load_evaluated_config(run, settings) for run in runs])
    emit(result, as_json=json, render=lambda: print_comparison(result, everything=all))


def best(
    metric: Annotated[
        str, typer.Option(help="A metric such as val_rmse or test_ndcg_at_10_full.")
    ] = "val_rmse",
    data: Annotated[str, typer.Option(help="Data set by name or beginning of its hash.")] = "",
    split: Annotated[str, typer.Option(help="Split by protocol or beginning of its hash.")] = "",
    tag: Tags = None,
    template: TemplateName = "",
    top: Annotated[int, typer.Option(min=1, help="Number of runs to show.")] = 10,
    json: Json = False,
) -> None:
    """Rank completed experiments by one metric, on the same rows of the same data only."""
    from movielens_recsys.cli.experiment.tables import ranking_table
    from movielens_recsys.data.sources.user_datasets import known_datasets
    from movielens_recsys.evaluation.metric_name import MetricName
    from movielens_recsys.runs import groups, search, store
    from movielens_recsys.settings import load_settings

    settings = load_settings()
    name = MetricName.parse(metric)
    metric = str(name)
    runs = _all_runs(settings)
    groups.check_chosen(runs, data, split, known_datasets(settings))
    runs = search.select_runs(runs, search.Selection(tags=tag or (), template=template))
    weights = (
        {run.id: store.load_config(run.id, settings).training.kl_weight for run in runs}
        if name.metric == "loss"
        else {}
    )
    group = groups.best_run(runs, metric, weights, data=data, split=split)
    heading = groups.format_metric(metric, group)
    emit(
        {
            "figure": metric,
            "what": heading,
            "better": search.direction_of(metric),
            "data_hash": group.data_hash,
            "split_hash": group.split_hash,
            "runs": [_as_json(run, False) for run in group.runs[:top]],
        },
        as_json=json,
        render=lambda: console.print(ranking_table(group, metric, heading, top)),
    )


def export(
    ids: SomeIds = None,
    format: Annotated[str, typer.Option(help="json (everything) or csv (a row per experiment).")] = "json",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A file. Default: standard output.")
    ] = None,
    json: Json = False,
) -> None:
    """Write experiments with their configurations and metrics as JSON or CSV."""
    from movielens_recsys.files import write_atomically
    from movielens_recsys.runs import export, store
    from movielens_recsys.settings import load_settings

    if json:
        format = "json"
    if format not in export.FORMATS:
        raise UnknownNameError("format", format, export.FORMATS)
    if output is not None and not output.parent.is_dir():
        raise UsageError(f"no folder {output.parent}", next_step="create it, or choose another path")
    settings = load_settings()
    runs = (
        [store.load_run(find_run(id, settings), settings) for id in ids]
        if ids
        else _all_runs(settings, without="")
    )
    text = export.FORMATS[format]([(run, store.load_evaluated_config(run, settings)) for run in runs])
    if output is None:
        echo(text, end="")
    else:
        write_atomically(output, text.encode(errors="backslashreplace"))
        err_console.print(f"{len(runs)} experiments written to {output}", highlight=False)


def sync(
    ids: SomeIds = None,
    json: Json = False,
) -> None:
    """Bring the copies in MLflow, and in W&B for runs with a project there, up to date with their logs."""
    from movielens_recsys.errors import TrackingError
    from movielens_recsys.runs import store
    from movielens_recsys.settings import load_settings
    from movielens_recsys.tracking.names import WANDB, storage_path, trackers_for
    from movielens_recsys.tracking.processes import sync_now

    settings = load_settings()
    found = [find_run(id, settings) for id in ids] if ids else [run.id for run in _all_runs(settings)]
    run_ids_by_tracker: dict[str, list[str]] = {}
    n_projects = 0
    for run_id in found:
        config = store.load_config(run_id, settings)
        n_projects += config.tracking.wandb_project is not None
        for name in trackers_for(config, settings):
            run_ids_by_tracker.setdefault(name, []).append(run_id)
    if n_projects and WANDB not in run_ids_by_tracker:
        warn(f"nothing is copied to {WANDB}: WANDB_MODE or WANDB_DISABLED switches it off")
    done, errors = [], []
    for name, run_ids in run_ids_by_tracker.items():
        try:
            n_synced = sync_now(name, run_ids, settings, warn)
        except TrackingError as exc:
            errors.append(exc)
        else:
            path = str(storage_path(name, settings))
            counts = {"copied": n_synced, "up_to_date": len(run_ids) - n_synced}
            done.append({"sink": name, **counts, "in": path})

    def render() -> None:
        for row in done:
            console.print(
                f"{row['sink']}: {row['copied']} copied, {row['up_to_date']} up to date in {row['in']}",
                highlight=False,
            )

    emit(done, as_json=json, render=render)
    for error in errors[:-1]:
        warn(str(error))
    if errors:
        raise errors[-1]
