"""Creating experiments from templates or other experiments, and archiving them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from movielens_recsys.cli import completion
from movielens_recsys.cli.arguments import Assignments, Data, Id, Modifications, UniqueIds, find_run
from movielens_recsys.cli.output import Json, console, emit, warn
from movielens_recsys.errors import UnknownNameError

if TYPE_CHECKING:
    from movielens_recsys.runs.config import ExperimentConfig
    from movielens_recsys.runs.run import Run
    from movielens_recsys.settings import Settings

Description = Annotated[str, typer.Option(help="Its purpose in a sentence.")]
Accept = Annotated[
    list[str] | None,
    typer.Option(
        "--accept",
        metavar="CHECK",
        help="A finding to accept: kl_weight, batch_size, capacity, memory, cutoff or targets.",
    ),
]
NewTags = Annotated[list[str] | None, typer.Option("--tag", help="A tag; may be repeated.")]


def create(
    template: Annotated[
        str,
        typer.Argument(
            help="A name from `recsys experiment templates`.", autocompletion=completion.templates
        ),
    ],
    name: Annotated[str, typer.Argument(help="Letters, digits, '_', '-' and '.'; its id adds the time.")],
    data: Data = "",
    modifications: Modifications = None,
    assignments: Assignments = None,
    description: Description = "",
    tag: NewTags = None,
    accept: Accept = None,
    json: Json = False,
) -> None:
    """Create an experiment from a template, and warn of likely problems; nothing runs yet."""
    from movielens_recsys.experiments.modifications import read_modifications
    from movielens_recsys.settings import load_settings

    settings = load_settings()
    changes = read_modifications(modifications or (), assignments or ())
    texts = {"description": description, "tags": tag or []}
    run = create_from_template(template, name, settings, data, changes, texts, accept or [])
    _show_created(run, json)


def create_from_template(
    template: str,
    name: str,
    settings: Settings,
    data: str,
    changes: Mapping[str, Any],
    texts: Mapping[str, Any],
    accepted: list[str],
) -> Run:
    """Create an experiment from ``template`` on ``data``, or on the template's; ``texts`` describe it."""
    from movielens_recsys.experiments.modifications import with_data
    from movielens_recsys.experiments.overrides import config_from_template
    from movielens_recsys.experiments.templates import load_template
    from movielens_recsys.runs import store

    store.check_name(name)
    base = load_template(template).config(name)
    changes = with_data(changes, data, settings)
    return _create(config_from_template(template, name, changes, **texts), base, settings, accepted)


def clone(
    id: Id,
    name: Annotated[str, typer.Argument(help="The new experiment's name.")],
    data: Data = "",
    modifications: Modifications = None,
    assignments: Assignments = None,
    description: Description = "",
    tag: NewTags = None,
    accept: Accept = None,
    json: Json = False,
) -> None:
    """Create an experiment with the configuration of another."""
    from movielens_recsys.experiments.modifications import read_modifications, with_data
    from movielens_recsys.experiments.overrides import config_from_clone
    from movielens_recsys.runs import store
    from movielens_recsys.settings import load_settings

    settings = load_settings()
    store.check_name(name)
    changes = with_data(read_modifications(modifications or (), assignments or ()), data, settings)
    original = store.load_config(find_run(id, settings), settings)
    config = config_from_clone(original, name, changes, description=description, tags=tag or [])
    _show_created(_create(config, original, settings, accept or []), json)


def _create(config: ExperimentConfig, base: ExperimentConfig, settings: Settings, accepted: list[str]) -> Run:
    """Create the experiment, and warn of the preflight findings on its changes to ``base``."""
    from movielens_recsys.experiments.data_facts import known_facts
    from movielens_recsys.experiments.preflight import as_events, check_accepted, preflight_findings
    from movielens_recsys.experiments.requirements import check_requirements
    from movielens_recsys.runs import store

    check_accepted(accepted)
    facts = known_facts(config, settings)
    check_requirements(config, facts)
    if facts is None:
        data = config.data.path or config.data.name
        warn(f"{data} is not here, or too large to be read now: it is checked at the start of the run")
    findings = preflight_findings(config, base, facts)
    run = store.create_run(config, settings, as_events(findings, accepted))
    for finding in findings:
        if finding.name not in accepted:
            warn(f"{finding} (if intended: --accept {finding.name})")
    return run


def _show_created(run: Run, as_json: bool) -> None:
    def render() -> None:
        console.print(f"created {run.id}", highlight=False)
        console.print(f"next:   recsys experiment run {run.id}", highlight=False)

    emit(run.to_json(), as_json=as_json, render=render)


def templates(json: Json = False) -> None:
    """List the templates of experiments."""
    from movielens_recsys.cli.experiment.tables import templates_table
    from movielens_recsys.experiments.templates import all_templates

    found = all_templates()
    emit(
        [
            {
                "name": template.name,
                **template.values,
                "learns_from_interactions": template.learns_from_interactions,
            }
            for template in found
        ],
        as_json=json,
        render=lambda: console.print(templates_table(found)),
    )


def keys(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TEMPLATE] [WORD...]",
            help="A template, to see its values; parts of names, to search.",
            autocompletion=completion.templates,
        ),
    ] = None,
    json: Json = False,
) -> None:
    """List the keys that --set and --modifications take: type, range, default and meaning."""
    from movielens_recsys.cli.experiment.keys_view import print_keys
    from movielens_recsys.experiments.keys import config_keys, search_keys
    from movielens_recsys.experiments.templates import template_names

    template = next((word for word in words or () if word in template_names()), "")
    searched = [word for word in words or () if word != template]
    known = config_keys(template)
    found = search_keys(known, searched)
    if not found:
        advice = "`recsys experiment keys` lists all keys"
        raise UnknownNameError("key", " ".join(searched), {key.key for key in known}, next_step=advice)
    emit([key.to_json() for key in found], as_json=json, render=lambda: print_keys(found))


def archive(ids: UniqueIds, json: Json = False) -> None:
    """Hide experiments from lists; nothing is deleted, and `unarchive` takes them back as they were."""
    from movielens_recsys.runs import transitions

    _for_each(ids, transitions.archive_run, "archived {id}", json)


def unarchive(ids: UniqueIds, json: Json = False) -> None:
    """Take archived experiments back into lists, in the state that they were archived in."""
    from movielens_recsys.runs import transitions

    _for_each(ids, transitions.unarchive_run, "{id} is {state} again", json)


def _for_each(ids: list[str], change: Callable[[str, Settings], Run], line: str, as_json: bool) -> None:
    """Change each experiment's state, and print a line for each."""
    from movielens_recsys.settings import load_settings

    settings = load_settings()
    found = list(dict.fromkeys(find_run(id, settings, unique=True) for id in ids))
    runs = [change(run_id, settings) for run_id in found]
    lines = [line.format(id=run.id, state=run.state) for run in runs]
    emit(
        [run.to_json() for run in runs],
        as_json=as_json,
        render=lambda: console.print("\n".join(lines), highlight=False),
    )
