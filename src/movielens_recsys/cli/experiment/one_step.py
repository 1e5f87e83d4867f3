"""Commands that take an experiment, or else a template of which they create one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from movielens_recsys.cli import completion
from movielens_recsys.cli.arguments import announce, find_run
from movielens_recsys.cli.experiment.create import create_from_template
from movielens_recsys.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from movielens_recsys.settings import Settings

IdOrTemplate = Annotated[
    str,
    typer.Argument(
        metavar="ID|TEMPLATE",
        help="An experiment, or a template for a new one.",
        autocompletion=completion.runs_and_templates,
    ),
]
NewName = Annotated[str, typer.Option("--name", help="The new experiment's name. Default: the template's.")]


@dataclass(frozen=True, slots=True)
class NewExperiment:
    """What the options say of an experiment that is to be created, if ``word`` is a template."""

    word: str
    name: str
    data: str
    modifications: Sequence[str]
    assignments: Sequence[str]
    accepted: Sequence[str]

    @property
    def _is_described(self) -> bool:
        return any((self.name, self.data, self.modifications, self.assignments, self.accepted))

    def existing(self, settings: Settings) -> str | None:
        """Return the id of the experiment that ``word`` stands for; None if it stands for a new one.

        Raises
        ------
        UnknownNameError
            It is neither an experiment nor a template.
        UsageError
            It is an experiment, and there are options that describe a new one.
        """
        from movielens_recsys.experiments.templates import template_names
        from movielens_recsys.runs import store

        templates = template_names()
        if self.word in templates:
            return None if self._is_described else self._planned(settings)
        if not store.matching_runs(self.word, settings):
            known = [*store.run_ids(settings), *templates]
            advice = "`recsys experiment templates` and `recsys experiment list` list them"
            raise UnknownNameError("experiment or template", self.word, known, next_step=advice)
        run_id = find_run(self.word, settings)
        if self._is_described:
            raise UsageError(
                f"{run_id} is created already, and its configuration never changes",
                next_step=f"clone it with the same options: `recsys experiment clone {run_id} NEW_NAME`",
            )
        return run_id

    def _planned(self, settings: Settings) -> str | None:
        """Return the newest planned experiment that is named like the template."""
        from movielens_recsys.runs import store

        runs = (store.load_run(run_id, settings) for run_id in store.matching_runs(self.word, settings))
        planned = [run.id for run in runs if run.name == self.word and run.state == "planned"]
        if not planned:
            return None
        announce(f"{self.word} stands for {planned[-1]}, which is planned; --name NAME creates another")
        return planned[-1]

    def create(self, settings: Settings) -> str:
        """Create the experiment and return its id."""
        from movielens_recsys.experiments.modifications import read_modifications

        changes = read_modifications(self.modifications, self.assignments)
        name = self.name or self.word
        return create_from_template(self.word, name, settings, self.data, changes, {}, [*self.accepted]).id
