"""`recsys experiment`: plan, run, find and compare experiments."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from movielens_recsys.cli.output import Json, console, emit, err_console, progress, warn
from movielens_recsys.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from movielens_recsys.experiments.config import ExperimentConfig
    from movielens_recsys.experiments.query import Selection
    from movielens_recsys.experiments.record import Run
    from movielens_recsys.settings import Settings
    from movielens_recsys.training.records import EpochRecord

app = typer.Typer(help="Plan, run, find and compare experiments.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(metavar="ID", help="An experiment's id, or the only beginning of one.")]
Ids = Annotated[list[str], typer.Argument(metavar="ID...", help="Ids, or the only beginnings of them.")]
Modifications = Annotated[
    str,
    typer.Option(
        "--modifications", "-m", metavar="JSON", help='Laid over it, e.g. \'{"training": {"seed": 42}}\'.'
    ),
]
Description = Annotated[str, typer.Option(help="What it is for, in a sentence.")]
Accept = Annotated[
    list[str] | None,
    typer.Option("--accept", metavar="GUARD", help="Meant so: kl_weight, batch_size, capacity or memory."),
]
NewTags = Annotated[list[str] | None, typer.Option("--tag", help="A tag to carry; may be repeated.")]
Statuses = Annotated[
    list[str] | None,
    typer.Option("--status", help="planned, running, completed, failed or archived; may be repeated."),
]
Tags = Annotated[list[str] | None, typer.Option("--tag", help="Only those with this tag; may be repeated.")]
TemplateName = Annotated[str, typer.Option("--template", help="Only those made from this template.")]
Since = Annotated[str, typer.Option(metavar="DATE", help="Only those created then or later (UTC).")]
Until = Annotated[str, typer.Option(metavar="DATE", help="Only those created then or earlier (UTC).")]
Sort = Annotated[str, typer.Option(metavar="FIGURE", help="Best value of this figure first.")]


@app.command()
def create(
    template: Annotated[str, typer.Argument(help="A name from `recsys experiment templates`.")],
    name: Annotated[str, typer.Argument(help="Letters, digits, '_', '-' and '.'; its id adds the time.")],
    modifications: Modifications = "{}",
    description: Description = "",
    tag: NewTags = None,
    accept: Accept = None,
    json: Json = False,
) -> None:
    """Plan an experiment from a template, and say what is known to go wrong with it; nothing runs yet."""
    from movielens_recsys.experiments import registry
    from movielens_recsys.experiments.modifications import parse_modifications, resolve
    from movielens_recsys.experiments.templates import load_template
    from movielens_recsys.settings import load_settings

    settings = load_settings()
    registry.check_name(name)
    changes = parse_modifications(modifications)
    config = resolve(template, name, changes, description=description, tags=tag or [])
    _plan(config, load_template(template).config(name), settings, accept or [], json)


@app.command()
def clone(
    id: Id,
    name: Annotated[str, typer.Argument(help="The new experiment's name.")],
    modifications: Modifications = "{}",
    description: Description = "",
    tag: NewTags = None,
    accept: Accept = None,
    json: Json = False,
) -> None:
    """Plan a new experiment with the configuration of another."""
    from movielens_recsys.experiments import registry
    from movielens_recsys.experiments.modifications import derive, parse_modifications
    from movielens_recsys.settings import load_settings

    settings = load_settings()
    registry.check_name(name)
    changes = parse_modifications(modifications)
    original = registry.load_config(registry.find(id, settings), settings)
    config = derive(original, name, changes, description=description, tags=tag or [])
    _plan(config, original, settings, accept or [], json)


def _plan(
    config: ExperimentConfig, base: ExperimentConfig, settings: Settings, accepted: list[str], as_json: bool
) -> None:
    """Warn of what the guards find against ``base``, and create the experiment."""
    from movielens_recsys.data.imports import check_data
    from movielens_recsys.experiments import registry
    from movielens_recsys.experiments.guards import as_events, check_accepted, guard

    check_accepted(accepted)
    check_data(config.data, settings)
    findings = guard(config, base)
    run = registry.create(config, settings, as_events(findings, accepted))
    for finding in findings:
        if finding.name not in accepted:
            warn(f"{finding} (if it is meant so: --accept {finding.name})")

    def render() -> None:
        console.print(f"created {run.id}", highlight=False)
        console.print(f"next:   recsys experiment run {run.id}", highlight=False)

    emit(run.to_json(), as_json=as_json, render=render)


@app.command()
def templates(json: Json = False) -> None:
    """List the ready-made experiments."""
    from movielens_recsys.cli.experiment_view import templates_table
    from movielens_recsys.experiments.templates import all_templates

    found = all_templates()
    emit(
        [{"name": template.name, **template.values} for template in found],
        as_json=json,
        render=lambda: console.print(templates_table(found)),
    )


@app.command("list")
def list_(
    status: Statuses = None,
    tag: Tags = None,
    template: TemplateName = "",
    sort: Sort = "",
    all: Annotated[bool, typer.Option("--all", help="Archived ones too.")] = False,
    json: Json = False,
) -> None:
    """List experiments, oldest first."""
    from movielens_recsys.experiments.query import Selection

    _list(Selection(_states(status), tag or (), template, archived=all), sort, json)


@app.command()
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
    """Find experiments by name, figure, status, tag, template and date; archived ones too."""
    from movielens_recsys.experiments.query import Selection, parse_condition, parse_moment

    selection = Selection(
        _states(status),
        tag or (),
        template,
        name,
        parse_moment(since) if since else None,
        parse_moment(until, end_of_day=True) if until else None,
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
    from movielens_recsys.cli.experiment_view import runs_text
    from movielens_recsys.experiments.query import select
    from movielens_recsys.experiments.registry import has_lost_its_process
    from movielens_recsys.settings import load_settings

    settings = load_settings()
    found = select(_all_runs(settings), selection, sort=sort)
    gone = {run.id for run in found if has_lost_its_process(run, settings)}

    def render() -> None:
        if found:
            typer.echo(runs_text(found, gone, sort))
        else:
            console.print(
                "no such experiment; `recsys experiment create TEMPLATE NAME` plans one", highlight=False
            )

    emit([_as_json(run, run.id in gone) for run in found], as_json=as_json, render=render)


def _all_runs(settings: Settings) -> list[Run]:
    from movielens_recsys.experiments.registry import load_all

    runs, errors = load_all(settings)
    for error in errors:
        warn(f"left out: {error}")
    return runs


def _as_json(run: Run, process_gone: bool) -> dict[str, Any]:
    return {**run.to_json(), "process_gone": process_gone}


@app.command()
def show(id: Id, json: Json = False) -> None:
    """Show one experiment: state, figures, targets, configuration and where they come from."""
    from movielens_recsys.cli.experiment_view import print_run
    from movielens_recsys.experiments import registry
    from movielens_recsys.settings import load_settings

    settings = load_settings()
    run = registry.load(registry.find(id, settings), settings)
    config = registry.load_config(run.id, settings)
    gone = registry.has_lost_its_process(run, settings)
    folder = registry.folder_of(run.id, settings)
    emit(
        {**_as_json(run, gone), "folder": str(folder), "config": config.model_dump(mode="json")},
        as_json=json,
        render=lambda: print_run(run, config, folder, gone),
    )


@app.command()
def run(
    id: Id,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, and change nothing.")
    ] = False,
    json: Json = False,
) -> None:
    """Run a planned experiment to its end, or start one over whose process died."""
    if not dry_run:
        _run(id, resume=False, as_json=json)
        return
    from movielens_recsys.cli.experiment_view import print_rehearsal
    from movielens_recsys.experiments import registry
    from movielens_recsys.experiments.rehearsal import rehearse
    from movielens_recsys.settings import load_settings

    settings = load_settings()
    run_id = registry.find(id, settings)
    registry.check_runnable(registry.load(run_id, settings))
    plan = rehearse(run_id, settings)
    emit(plan, as_json=json, render=lambda: print_rehearsal(plan))


@app.command()
def resume(id: Id, json: Json = False) -> None:
    """Go on with a run that was stopped or whose process died; it ends as if never interrupted."""
    _run(id, resume=True, as_json=json)


def _run(id: str, *, resume: bool, as_json: bool) -> None:
    from movielens_recsys.cli.experiment_view import print_run
    from movielens_recsys.cli.notify import telling
    from movielens_recsys.cli.termination import Termination
    from movielens_recsys.experiments import registry
    from movielens_recsys.settings import load_settings

    settings = load_settings()
    run_id = registry.find(id, settings)
    run = registry.load(run_id, settings)
    registry.check_runnable(run, resume=resume)
    registry.check_free(run, settings)
    epochs = registry.load_config(run_id, settings).training.epochs
    from movielens_recsys.experiments.run import execute

    try:
        with telling(run_id, settings), Termination() as stop, TrainingProgress(epochs) as bar:
            outcome = execute(run_id, settings, callbacks=[bar], warn=warn, resume=resume, stop=stop)
    finally:
        if registry.load(run_id, settings).state == "stopped":
            err_console.print(f"saved; go on with: recsys experiment resume {run_id}", highlight=False)
    emit(
        {**_as_json(outcome.run, False), "folder": str(outcome.folder)},
        as_json=as_json,
        render=lambda: print_run(outcome.run, outcome.config, outcome.folder, False),
    )


class TrainingProgress:
    """A progress bar over a training's epochs and steps; without a terminal, a line per epoch."""

    def __init__(self, epochs: int) -> None:
        self._epochs = epochs
        self._progress = progress()
        self._task = self._progress.add_task("training", total=None, note="")
        self._note = ""

    def __enter__(self) -> TrainingProgress:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def on_step(self, epoch: int, step: int, steps: int) -> None:
        """Move the bar."""
        self._progress.update(
            self._task,
            description=f"epoch {epoch}/{self._epochs}",
            completed=(epoch - 1) * steps + step,
            total=self._epochs * steps,
            note=self._note,
        )

    def on_epoch(self, record: EpochRecord, *, improved: bool) -> None:
        """Show the figures of the epoch."""
        self._note = f"val_rmse {record.val_rmse:.4f}  val_loss {record.val_loss:.4f}"
        if not err_console.is_terminal:
            mark = " *" if improved else ""
            err_console.print(f"epoch {record.epoch}/{self._epochs}  {self._note}{mark}", highlight=False)


@app.command()
def compare(ids: Ids, json: Json = False) -> None:
    """Lay experiments side by side: what differs in their configurations, and their figures."""
    from movielens_recsys.cli.experiment_view import print_comparison
    from movielens_recsys.experiments import comparison, registry
    from movielens_recsys.settings import load_settings

    settings = load_settings()
    found = list(dict.fromkeys(registry.find(id, settings) for id in ids))
    if len(found) < 2:
        raise UsageError(
            "one experiment cannot be compared", expected="at least two ids", next_step="name another one"
        )
    runs = [registry.load(run_id, settings) for run_id in found]
    result = comparison.compare(runs, [registry.load_config(run_id, settings) for run_id in found])
    emit(result, as_json=json, render=lambda: print_comparison(result))


@app.command()
def best(
    metric: Annotated[
        str, typer.Option(help="A figure such as val_rmse or test_ndcg_at_10_full.")
    ] = "val_rmse",
    data: Annotated[str, typer.Option(help="Data set by name or beginning of its hash.")] = "",
    split: Annotated[str, typer.Option(help="Split by protocol or beginning of its hash.")] = "",
    tag: Tags = None,
    template: TemplateName = "",
    top: Annotated[int, typer.Option(min=1, help="How many to show.")] = 10,
    json: Json = False,
) -> None:
    """Rank completed experiments by one figure, on the same rows of the same data only."""
    from movielens_recsys.cli.experiment_view import ranking_table
    from movielens_recsys.experiments import query, registry
    from movielens_recsys.settings import load_settings

    settings = load_settings()
    figure = metric.replace("@", "_at_")
    runs = query.select(_all_runs(settings), query.Selection(tags=tag or (), template=template))
    weights = (
        {run.id: registry.load_config(run.id, settings).training.kl_weight for run in runs}
        if figure.endswith("_loss")
        else {}
    )
    group = query.best(runs, figure, weights, data=data, split=split)
    heading = query.describe_figure(figure, group)
    emit(
        {
            "figure": figure,
            "what": heading,
            "better": query.better(figure),
            "data_hash": group.data_hash,
            "split_hash": group.split_hash,
            "runs": [_as_json(run, False) for run in group.runs[:top]],
        },
        as_json=json,
        render=lambda: console.print(ranking_table(group, figure, heading, top)),
    )


@app.command()
def archive(ids: Ids, json: Json = False) -> None:
    """Hide experiments from lists; nothing is deleted."""
    from movielens_recsys.experiments import registry
    from movielens_recsys.settings import load_settings

    settings = load_settings()
    found = list(dict.fromkeys(registry.find(id, settings) for id in ids))
    runs = [registry.archive(run_id, settings) for run_id in found]
    emit(
        [run.to_json() for run in runs],
        as_json=json,
        render=lambda: console.print("\n".join(f"archived {run.id}" for run in runs), highlight=False),
    )


@app.command()
def export(
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID...]", help="All, if none is named.")] = None,
    format: Annotated[str, typer.Option(help="json (everything) or csv (a row per experiment).")] = "json",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A file; else standard output.")
    ] = None,
    json: Json = False,
) -> None:
    """Write experiments with their configurations and figures as JSON or CSV."""
    from movielens_recsys.experiments import export, registry
    from movielens_recsys.settings import load_settings
    from movielens_recsys.storage import write_atomically

    if json:
        format = "json"
    if format not in export.FORMATS:
        raise UnknownNameError("format", format, export.FORMATS)
    if output is not None and not output.parent.is_dir():
        raise UsageError(f"no folder {output.parent}", next_step="make it, or choose another place")
    settings = load_settings()
    runs = (
        [registry.load(registry.find(id, settings), settings) for id in ids] if ids else _all_runs(settings)
    )
    text = export.FORMATS[format]([(run, registry.load_config(run.id, settings)) for run in runs])
    if output is None:
        typer.echo(text, nl=False)
    else:
        write_atomically(output, text.encode())
        err_console.print(f"{len(runs)} experiments written to {output}", highlight=False)


@app.command()
def sync(
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID...]", help="All, if none is named.")] = None,
    json: Json = False,
) -> None:
    """Bring the copy in MLflow's store up to date with the event logs."""
    from movielens_recsys.experiments import registry
    from movielens_recsys.experiments.tracking import copy_runs
    from movielens_recsys.settings import load_settings

    settings = load_settings()
    found = [registry.find(id, settings) for id in ids] if ids else [run.id for run in _all_runs(settings)]
    count = copy_runs(found, settings) if found else 0
    emit(
        {"copied": count, "up_to_date": len(found) - count, "store": str(settings.tracking_db)},
        as_json=json,
        render=lambda: console.print(
            f"{count} copied, {len(found) - count} up to date in {settings.tracking_db}", highlight=False
        ),
    )
