"""Completion in the shell: the script that turns it on, and the names that arguments are completed with.

A completer gets the beginning of a word and returns words; Typer keeps those that have the beginning. It runs
at each press of the tabulator key, so it imports no large library, and it reads names of files only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated, Literal

import typer

from movielens_recsys.cli.output import echo

Completer = Callable[[str], Iterable[str]]


def completion(
    shell: Annotated[Literal["bash", "zsh", "fish"], typer.Argument(help="The shell that you use.")],
    install: Annotated[bool, typer.Option("--install", help="Write it to the shell's start files.")] = False,
) -> None:
    """Print the script that completes commands, options and names in a shell.

    For this session: eval "$(recsys completion bash)"; for fish: recsys completion fish | source.
    """
    from typer import completion as typer_completion

    if install:
        _, path = typer_completion.install(shell)  # type: ignore[attr-defined]
        echo(f"installed in {path}; start a new shell")
    else:
        script = typer_completion.get_completion_script  # type: ignore[attr-defined]
        echo(script(prog_name="recsys", complete_var="_RECSYS_COMPLETE", shell=shell))


def runs(incomplete: str) -> list[str]:
    """Return the ids of all experiments, the newest first."""
    from movielens_recsys.runs.store import run_ids
    from movielens_recsys.settings import load_settings

    return run_ids(load_settings())


def templates(incomplete: str) -> list[str]:
    """Return the names of the templates."""
    from movielens_recsys.experiments.templates import template_names

    return template_names()


def runs_and_templates(incomplete: str) -> list[str]:
    """Return what `recsys experiment run` takes."""
    return [*runs(incomplete), *templates(incomplete)]


def datasets(incomplete: str) -> list[str]:
    """Return the official and the imported data sets."""
    from movielens_recsys.data.sources.user_datasets import known_datasets
    from movielens_recsys.settings import load_settings

    return known_datasets(load_settings())


def official_datasets(incomplete: str) -> list[str]:
    """Return the official data sets."""
    from movielens_recsys.data.datasets import DATASETS

    return list(DATASETS)


def imported_datasets(incomplete: str) -> list[str]:
    """Return the imported data sets."""
    from movielens_recsys.data.sources.user_datasets import user_dataset_names
    from movielens_recsys.settings import load_settings

    return user_dataset_names(load_settings())


def ensembles(incomplete: str) -> list[str]:
    """Return the names of the ensembles."""
    from movielens_recsys.ensembles.store import ensemble_names
    from movielens_recsys.settings import load_settings

    return ensemble_names(load_settings())


def assignments(incomplete: str) -> list[str]:
    """Return the keys of a configuration, each with the sign that its value follows."""
    from movielens_recsys.experiments.keys import config_keys

    return sorted({f"{key.key}=" for key in config_keys() if "[]" not in key.key})


def states(incomplete: str) -> list[str]:
    """Return the states of an experiment."""
    from movielens_recsys.schema import RunState

    return [state.value for state in RunState]
