"""`recsys ensemble`: blend several experiments into one recommender, and show what each of them adds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from movielens_recsys.cli import completion
from movielens_recsys.cli.arguments import Assignments, Modifications
from movielens_recsys.cli.output import Json, emit, err_console, warn
from movielens_recsys.cli.usage import CommandGroup
from movielens_recsys.errors import UnknownNameError, UsageError, shorten

if TYPE_CHECKING:
    from movielens_recsys.ensembles.executors import Executor
    from movielens_recsys.ensembles.members import MemberSpec
    from movielens_recsys.ensembles.store import BlendChoice, EnsemblePlan
    from movielens_recsys.settings import Settings

app = typer.Typer(help="Blend experiments into one recommender.", cls=CommandGroup)

Name = Annotated[str, typer.Argument(help="The ensemble's name.", autocompletion=completion.ensembles)]


@app.command()
def run(
    name: Name,
    more: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ID...]", help="Experiments to take as members.", autocompletion=completion.runs
        ),
    ] = None,
    members: Annotated[
        list[str] | None,
        typer.Option(
            "--members",
            metavar="ID",
            help="The same: --members ID ID ID. Members that have not run yet are run.",
            autocompletion=completion.runs,
        ),
    ] = None,
    template: Annotated[
        str,
        typer.Option(
            help="Create members from this template, one for each seed.", autocompletion=completion.templates
        ),
    ] = "",
    clone: Annotated[
        str,
        typer.Option(
            metavar="ID",
            help="Create members as clones of this experiment, one for each seed.",
            autocompletion=completion.runs,
        ),
    ] = "",
    seeds: Annotated[
        str, typer.Option(metavar="N,N,...", help="Training seeds of created members; default 42,123,456.")
    ] = "",
    modifications: Modifications = None,
    assignments: Assignments = None,
    file: Annotated[
        Path | None, typer.Option("--file", "-f", help="A YAML file of members: experiments and templates.")
    ] = None,
    blend: Annotated[
        Literal["auto", "mean", "ridge", "gbm"] | None,
        typer.Option(help="Default auto: the best on validation, cross-validated."),
    ] = None,
    jobs: Annotated[
        int, typer.Option("--jobs", "-j", min=1, max=256, help="Members that run at the same time.")
    ] = 1,
    engine: Annotated[
        Literal["local", "ray"], typer.Option(help="Where members run: this machine, or Ray.")
    ] = "local",
    ray_address: Annotated[
        str, typer.Option(metavar="ADDRESS", help="A running Ray cluster; by default one is started here.")
    ] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be done, and change nothing.")
    ] = False,
    json: Json = False,
) -> None:
    """Run the members that are not completed yet, then blend and evaluate all. Run it again to resume."""
    from movielens_recsys.ensembles import create
    from movielens_recsys.ensembles import store as ensemble_store
    from movielens_recsys.experiments.modifications import read_modifications
    from movielens_recsys.settings import load_settings

    if ray_address and engine != "ray":
        raise UsageError("--ray-address without --engine ray", next_step="add --engine ray")
    settings = load_settings()
    changes = read_modifications(modifications or (), assignments or ())
    specs = _member_specs([*(members or ()), *(more or ())], template, clone, seeds, changes, file)
    plan = create.plan_of(name, specs, blend, settings)
    if plan is None and not specs:
        raise UnknownNameError(
            "ensemble", name, ensemble_store.ensemble_names(settings), next_step="name its members"
        )
    if dry_run:
        _show_dry_run(name, plan, specs, blend, settings, json)
        return
    if plan is not None and ensemble_store.state_of(name, settings) == "completed":
        err_console.print(f"{name} is completed already", highlight=False)
        _show(plan, settings, json)
        return
    _run_ensemble(name, specs, blend, settings, _executor(engine, settings, jobs, ray_address), json)


def _executor(name: str, settings: Settings, jobs: int, address: str) -> Executor:
    from movielens_recsys.ensembles.executors import LocalExecutor, RayExecutor

    return RayExecutor(settings, jobs, address) if name == "ray" else LocalExecutor(settings, jobs)


def _member_specs(
    ids: list[str], template: str, clone: str, seeds: str, changes: dict[str, Any], file: Path | None
) -> list[MemberSpec]:
    """Return the member specs of the options, in the order members, file, template, clone."""
    from movielens_recsys.ensembles.members import SEEDS, MemberSpec, read_members
    from movielens_recsys.experiments.overrides import merge

    if (seeds or changes) and not (template or clone or file):
        raise UsageError(
            "--seeds, --modifications and --set apply to created members only",
            expected="--template, --clone or --file with them",
            next_step="create the experiments with them, or name a template",
        )
    if seeds and not (template or clone):
        raise UsageError("--seeds without --template or --clone", next_step="write seeds into the file")
    specs = [MemberSpec(experiment=id) for id in ids]
    for spec in read_members(file) if file else ():
        merged = spec.modifications if spec.experiment else merge(spec.modifications, changes)
        specs.append(spec.model_copy(update={"modifications": merged}))
    seed_numbers = _parse_seeds(seeds) if seeds else SEEDS
    origins = {"template": template, "clone": clone}
    specs += [
        MemberSpec.parse({origin: value, "modifications": changes, "seeds": seed_numbers})
        for origin, value in origins.items()
        if value
    ]
    return specs


def _parse_seeds(text: str) -> tuple[int, ...]:
    seeds = []
    for word in (word.strip() for word in text.split(",")):
        if not (word.isascii() and word.isdecimal()):
            raise UsageError(
                f"cannot read {shorten(word)!r} in --seeds", expected="whole numbers, for example 42,123,456"
            )
        if len(word) > 10 or int(word) >= 2**32:
            raise UsageError(
                f"the seed {shorten(word)} is too large", expected="seeds below 4294967296 (2^32)"
            )
        if int(word) in seeds:
            raise UsageError(f"--seeds has {word} twice", expected="each seed once")
        seeds.append(int(word))
    return tuple(seeds)


def _show_dry_run(
    name: str,
    plan: EnsemblePlan | None,
    specs: list[MemberSpec],
    blend: BlendChoice | None,
    settings: Settings,
    as_json: bool,
) -> None:
    """Show which members exist, which would be created and which would be run."""
    from movielens_recsys.cli.ensemble_view import print_dry_run
    from movielens_recsys.ensembles.create import check_members
    from movielens_recsys.ensembles.members import MemberSpec, resolve_members

    if plan is not None:
        specs, blend = [MemberSpec(experiment=id) for id in plan.members], plan.blend
    resolved = resolve_members(name, specs, settings)
    check_members(resolved, blend or "auto", settings)
    rows = [
        {
            "member": str(member),
            "state": member.run.state if member.run else "to be created",
            "template": member.config.template,
            "model": member.config.model.name,
            "seed": member.config.training.seed,
        }
        for member in resolved
    ]
    first = resolved[0].config
    values = {
        "name": name,
        "blend": blend or "auto",
        "data": first.data.model_dump(mode="json"),
        "split": first.split.model_dump(mode="json"),
        "members": rows,
    }
    emit(values, as_json=as_json, render=lambda: print_dry_run(values))


def _run_ensemble(
    name: str,
    specs: list[MemberSpec],
    blend: BlendChoice | None,
    settings: Settings,
    executor: Executor,
    as_json: bool,
) -> None:
    """Run an ensemble and report its progress; SIGTERM and Ctrl-C save its members."""
    from movielens_recsys.cli.termination import GracefulStop
    from movielens_recsys.ensembles import create
    from movielens_recsys.ensembles import store as ensemble_store
    from movielens_recsys.ensembles.run_members import run_members

    def report(line: str) -> None:
        err_console.print(line, highlight=False, markup=False)

    with ensemble_store.ensemble_lock(name, settings), GracefulStop() as stop:
        plan = create.plan_of(name, specs, blend, settings)
        if plan is None:
            plan = create.create_ensemble(name, specs, blend, settings, warn)
        else:
            create.go_on(plan, settings)
        run_members(plan.members, settings, executor, stop=stop, report=report)
        report("blending")
        from movielens_recsys.ensembles.build import build_ensemble

        build_ensemble(plan, settings)
    _show(plan, settings, as_json)


@app.command()
def show(name: Name, json: Json = False) -> None:
    """Show one ensemble: its members and what each adds, its blend, metrics and targets."""
    from movielens_recsys.ensembles import store as ensemble_store
    from movielens_recsys.settings import load_settings

    settings = load_settings()
    _show(ensemble_store.find_ensemble(name, settings), settings, json)


def _show(plan: EnsemblePlan, settings: Settings, as_json: bool) -> None:
    from movielens_recsys.cli.ensemble_view import print_ensemble
    from movielens_recsys.ensembles import store as ensemble_store
    from movielens_recsys.runs import store

    report = ensemble_store.load_report(plan.name, settings)
    existing = set(store.run_ids(settings))
    runs = [store.load_run(run_id, settings) for run_id in plan.members if run_id in existing]
    values = {
        "name": plan.name,
        "state": ensemble_store.state_of(plan.name, settings),
        "created": plan.created,
        "folder": str(ensemble_store.ensemble_folder(plan.name, settings)),
        "blend": plan.blend,
        "states": {**dict.fromkeys(plan.members, "deleted"), **{run.id: run.state for run in runs}},
        **(report or {}),
    }
    emit(values, as_json=as_json, render=lambda: print_ensemble(values, runs))


@app.command("list")
def list_(json: Json = False) -> None:
    """List the ensembles with their metrics."""
    from movielens_recsys.cli.ensemble_view import print_ensembles
    from movielens_recsys.ensembles import store as ensemble_store
    from movielens_recsys.settings import load_settings

    settings = load_settings()
    rows = []
    for name in ensemble_store.ensemble_names(settings):
        plan, report = ensemble_store.load_plan(name, settings), ensemble_store.load_report(name, settings)
        metrics = (report or {}).get("figures", {})
        rows.append(
            {
                "name": name,
                "state": ensemble_store.state_of(name, settings),
                "members": list(plan.members),
                "blend": report["blend"] if report else plan.blend,
                **{
                    key: metrics[key]["value"] if key in metrics else None
                    for key in ("val_rmse", "test_rmse")
                },
            }
        )
    emit(rows, as_json=json, render=lambda: print_ensembles(rows, settings.ensembles))
