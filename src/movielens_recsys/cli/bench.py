"""`recsys bench`: our models and other libraries on identical rows, and the table of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from movielens_recsys.cli.output import Json, console, emit, err_console, table, warn
from movielens_recsys.errors import BenchError, UnknownNameError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from movielens_recsys.bench.config import BenchModel
    from movielens_recsys.bench.results import BenchResult
    from movielens_recsys.bench.tables import ResultTable

Suite = Literal["accuracy", "ranking", "speed"]


def bench(
    suite: Annotated[Suite, typer.Option(help="Stars, lists, or speed at equal sizes.")] = "accuracy",
    data: Annotated[
        list[str] | None, typer.Option(help="Data sets, by commas or repeated. Else the suite's.")
    ] = None,
    protocol: Annotated[
        list[str] | None,
        typer.Option(help="official, random, global_temporal, leave_last, of the suite accuracy; else all."),
    ] = None,
    folds: Annotated[int, typer.Option(min=1, max=10, help="How many of the folds, from the first.")] = 1,
    models: Annotated[
        list[str] | None,
        typer.Option("--models", help="Templates, by commas or repeated; `none`: none. Else the suite's."),
    ] = None,
    modifications: Annotated[
        str, typer.Option("--modifications", "-m", metavar="JSON", help="Laid over each of --models.")
    ] = "{}",
    peers: Annotated[
        list[str] | None,
        typer.Option("--peers", help="Peers, by commas or repeated; `none`: none. Else the suite's."),
    ] = None,
    entrants: Annotated[
        Path | None, typer.Option(help="A YAML file of further peers and models of your own.")
    ] = None,
    reference: Annotated[
        str | None, typer.Option(help="The row that all are held against; else the best peer.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Of training.")] = 0,
    threads: Annotated[int, typer.Option(min=1, max=256, help="What each process may use.")] = 1,
    limit: Annotated[float, typer.Option(min=0.1, help="Seconds that one process may take.")] = 10_800.0,
    retry: Annotated[bool, typer.Option("--retry", help="Try again what has failed before.")] = False,
    report_only: Annotated[
        bool, typer.Option("--report-only", help="Run nothing; show all that is kept, of every suite.")
    ] = False,
    write: Annotated[
        Path | None,
        typer.Option(file_okay=False, help="A folder for the tables: one Markdown page per data set."),
    ] = None,
    json: Json = False,
) -> None:
    """Fit our models and other libraries on identical rows, and hold them against each other.

    What is finished is kept, and not run again unless code, settings or data have changed. With --write, all
    that is kept goes into the pages, whatever suite was run.
    """
    from movielens_recsys.bench.config import choose_models, choose_peers, known_bench_models
    from movielens_recsys.bench.markdown import write_into
    from movielens_recsys.bench.results import all_results
    from movielens_recsys.bench.run import Options, run
    from movielens_recsys.bench.tables import result_tables
    from movielens_recsys.bench.tasks import DATA, tasks
    from movielens_recsys.experiments.overrides import parse_modifications
    from movielens_recsys.settings import load_settings

    settings = load_settings()
    kept = all_results(settings)
    if report_only:
        _check_reference(reference, kept)
    else:
        known_peers, own = known_bench_models(entrants)
        changes = parse_modifications(modifications)
        chosen: list[BenchModel] = [
            *choose_models(suite, _names(models), own, changes),
            *choose_peers(suite, _names(peers), known_peers),
        ]
        if not chosen:
            raise UsageError(
                "nothing to run: neither models nor peers", next_step="name some, or --report-only"
            )
        _check_reference(reference, kept, chosen)
        data_names = _names(data) or (DATA[:1] if suite == "speed" else DATA)
        made = run(
            tasks(suite, data_names, _names(protocol), folds),
            chosen,
            settings,
            Options(seed=seed, threads=threads, limit_s=limit, retry=retry),
            tell=lambda words: err_console.print(words, highlight=False, markup=False),
        )
        kept = all_results(settings)
    if not kept:
        raise BenchError("nothing is kept yet", next_step="run the bench without --report-only")
    grounds = {_ground(cell) for cell in (kept if report_only else made)}
    found = result_tables([cell for cell in kept if _ground(cell) in grounds], reference)
    if write is not None:
        for path in write_into(write, result_tables(kept, reference)):
            err_console.print(f"written: {path}", highlight=False)
    emit([section.to_json() for section in found], as_json=json, render=lambda: _print(found))


def _check_reference(
    name: str | None, kept: Sequence[BenchResult], chosen: Sequence[BenchModel] = ()
) -> None:
    known = {*(cell.key.name for cell in kept), *(entrant.name for entrant in chosen)}
    if name is not None and name not in known:
        raise UnknownNameError("row", name, known)


def _ground(cell: BenchResult) -> tuple[str, str, float | None]:
    """Return what cells must share to stand in one table, or in tables side by side."""
    return cell.key.suite, cell.key.data, cell.key.relevance_threshold


def _names(given: list[str] | None) -> list[str] | None:
    """Return all names of an option that may be repeated, and may hold several by commas."""
    return None if given is None else [name for part in given for name in part.split(",") if name]


def _print(found: list[ResultTable]) -> None:
    from movielens_recsys.bench.markdown import brief, facts, title

    for section in found:
        heads, rows = brief(section)
        console.print(table(title(section), heads, rows, caption=facts(section)))
        for row in section.rows:
            if row.failure is not None:
                warn(f"{row.name} failed: {row.failure}")
