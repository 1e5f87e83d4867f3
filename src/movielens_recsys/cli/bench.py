"""`recsys bench`: our models and other libraries on identical rows, compared in tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from movielens_recsys.cli.arguments import Assignments, Modifications
from movielens_recsys.cli.fitted_table import FittedTable
from movielens_recsys.cli.output import Json, console, emit, err_console, warn
from movielens_recsys.errors import BenchError, UnknownNameError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from movielens_recsys.bench.config import BenchModel
    from movielens_recsys.bench.results import BenchResult
    from movielens_recsys.bench.tables import ResultTable

Suite = Literal["accuracy", "ranking", "speed"]


def bench(
    suite: Annotated[Suite, typer.Option(help="Ratings, rankings, or speed at equal sizes.")] = "accuracy",
    data: Annotated[
        list[str] | None,
        typer.Option(help="Data sets, comma-separated or repeated. Default: those of the suite."),
    ] = None,
    protocol: Annotated[
        list[str] | None,
        typer.Option(
            help="official, random, global_temporal, leave_last; for --suite accuracy. Default: all."
        ),
    ] = None,
    folds: Annotated[int, typer.Option(min=1, max=10, help="Number of folds, from the first.")] = 1,
    models: Annotated[
        list[str] | None,
        typer.Option(
            "--models", help="Templates, comma-separated or repeated, or `none`. Default: those of the suite."
        ),
    ] = None,
    modifications: Modifications = None,
    assignments: Assignments = None,
    peers: Annotated[
        list[str] | None,
        typer.Option(
            "--peers", help="Peers, comma-separated or repeated, or `none`. Default: those of the suite."
        ),
    ] = None,
    models_file: Annotated[
        Path | None, typer.Option("--entrants", help="A YAML file with further peers and models.")
    ] = None,
    reference: Annotated[
        str | None, typer.Option(help="The row that all others are compared with. Default: the best peer.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Training seed.")] = 0,
    threads: Annotated[int, typer.Option(min=1, max=256, help="Threads of each process.")] = 1,
    limit: Annotated[float, typer.Option(min=0.1, help="Time limit of each process in seconds.")] = 10_800.0,
    retry: Annotated[bool, typer.Option("--retry", help="Run failed models again.")] = False,
    report_only: Annotated[
        bool, typer.Option("--report-only", help="Run nothing; show all saved results.")
    ] = False,
    write: Annotated[
        Path | None,
        typer.Option(file_okay=False, help="A folder for the tables: one Markdown page per data set."),
    ] = None,
    json: Json = False,
) -> None:
    """Fit our models and other libraries on identical rows, and compare them.

    Results are saved, and computed again only if code, settings or data have changed. --write writes all
    saved results, whatever the suite.
    """
    from movielens_recsys.bench.config import choose_models, choose_peers, known_bench_models
    from movielens_recsys.bench.markdown import write_into
    from movielens_recsys.bench.results import all_results
    from movielens_recsys.bench.run import Options, run
    from movielens_recsys.bench.tables import result_tables
    from movielens_recsys.bench.tasks import DATA, tasks
    from movielens_recsys.experiments.modifications import read_modifications
    from movielens_recsys.settings import load_settings

    settings = load_settings()
    saved = all_results(settings)
    if report_only:
        _check_reference(reference, saved)
    else:
        known_peers, own = known_bench_models(models_file)
        changes = read_modifications(modifications or (), assignments or ())
        chosen: list[BenchModel] = [
            *choose_models(suite, _names(models), own, changes),
            *choose_peers(suite, _names(peers), known_peers),
        ]
        if not chosen:
            raise UsageError(
                "nothing to run: neither models nor peers", next_step="name some, or add --report-only"
            )
        _check_reference(reference, saved, chosen)
        data_names = _names(data) or (DATA[:1] if suite == "speed" else DATA)
        computed = run(
            tasks(suite, data_names, _names(protocol), folds),
            chosen,
            settings,
            Options(seed=seed, threads=threads, limit_s=limit, retry=retry),
            announce=lambda line: err_console.print(line, highlight=False, markup=False),
        )
        saved = all_results(settings)
    if not saved:
        raise BenchError("there are no results yet", next_step="run the bench without --report-only")
    shown = {_group_key(result) for result in (saved if report_only else computed)}
    tables = result_tables([result for result in saved if _group_key(result) in shown], reference)
    if write is not None:
        for path in write_into(write, result_tables(saved, reference)):
            err_console.print(f"written: {path}", highlight=False)
    emit([result_table.to_json() for result_table in tables], as_json=json, render=lambda: _print(tables))


def _check_reference(
    name: str | None, saved: Sequence[BenchResult], chosen: Sequence[BenchModel] = ()
) -> None:
    known = {*(result.key.name for result in saved), *(model.name for model in chosen)}
    if name is not None and name not in known:
        raise UnknownNameError("row", name, known)


def _group_key(result: BenchResult) -> tuple[str, str, float | None]:
    """Return what results share that are in one table, or in tables of the same data."""
    return result.key.suite, result.key.data, result.key.relevance_threshold


def _names(values: list[str] | None) -> list[str] | None:
    """Return the names of an option that may be repeated and comma-separated."""
    return None if values is None else [name for value in values for name in value.split(",") if name]


def _print(tables: list[ResultTable]) -> None:
    from movielens_recsys.bench.markdown import brief, description, title

    for result_table in tables:
        headers, rows = brief(result_table)
        caption, lesser = description(result_table), ["peak MB", "fit s", "inputs"]
        console.print(FittedTable(title(result_table), headers, rows, caption=caption, lesser=lesser))
        for row in result_table.rows:
            if row.failure is not None:
                warn(f"{row.name} failed: {row.failure}")
