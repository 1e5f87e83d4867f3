"""How the golden files were made: by commit 2d3770e, whose modules and names this script uses.

It stays as it is, so that anyone can see what the files hold and make them again with a checkout of that
commit before everything else on the path:

    git worktree add /tmp/2d3770e 2d3770e
    OMP_NUM_THREADS=1 POLARS_MAX_THREADS=2 PYTHONPATH=/tmp/2d3770e/src \
        .venv/bin/python -m tests.compat.make_golden FOLDER

The ratings are generated; no MovieLens file takes part. Two makings on one machine give the same weights
and answers, bit for bit; ids, times and durations differ.

    table.json      users, items and ratings, from which tests write the layouts that readers know
    home.tar.xz     home/ (experiments, ensembles, kept predictions) and data/ (an import, the cache)
    expected.json   hashes, the commands that made each run, and what is asked of each model
    answers.npz     what each bundle answers
    outputs.json    what commands print with --json
"""

from __future__ import annotations

import hashlib
import io
import json
import lzma
import os
import shutil
import sys
import tarfile
import tempfile
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
from movielens_recsys.experiments.run import execute
from tests.compat import common

from movielens_recsys.cli.main import main
from movielens_recsys.data.config import (
    GlobalTemporalSplit,
    KFoldSplit,
    LeaveLastSplit,
    RandomSplit,
    UserTemporalSplit,
)
from movielens_recsys.data.load import load_ratings
from movielens_recsys.data.splits import make_split
from movielens_recsys.data.synthetic import GENRES, synthetic_ratings
from movielens_recsys.errors import RecsysError, TrainingStopped
from movielens_recsys.experiments import registry
from movielens_recsys.experiments.templates import all_templates
from movielens_recsys.models.bundle import load_bundle
from movielens_recsys.recommender import ListRecommender, TimedRecommender
from movielens_recsys.settings import Settings, load_settings
from movielens_recsys.training.checkpoints import read_checkpoint

N_USERS, N_ITEMS, N_RATINGS = 50, 40, 900
RANDOM = {"protocol": "random", "validation": 0.15, "test": 0.15, "seed": 0}
BAYESIAN = {
    "n_factors": 3, "chains": 2, "sweeps": 14, "burn_in": 6, "kept_draws": 8, "kernel_rank": 20,
}  # fmt: skip
TWO_SIDED = {
    "n_factors": 4, "hidden_dims": [8], "latent_dim": 4, "rounds": 2,
}  # fmt: skip
PAIR_TRAINING = {
    "epochs": 6,
    "batch_size": 128,
    "learning_rate": 0.01,
    "learning_rate_schedule": {"shape": "cosine", "warmup_epochs": 1, "final_share": 0.1},
    "kl_annealing": {"shape": "cyclical", "epochs": 4, "cycles": 2},
    "free_bits": 0.01,
    "input_noise": 0.05,
    "label_smoothing": 0.05,
    "micro_batch_size": 50,
    "swa": {"start": 0.5, "learning_rate": 0.005},
    "early_stopping": None,
}
LISTS = [
    {"model": {"name": "ease", "regularization": 20, "user_damping": 0.5}, "weight": 1.5},
    {"model": {"name": "ials", "n_factors": 4, "sweeps": 3}},
]

RUNS: dict[str, tuple[str, dict[str, Any]]] = {
    "global_mean": ("global_mean", {}),
    "popularity": ("popularity", {"model": {"shrinkage": 5}}),
    "user_item_bias": ("user_item_bias", {"model": {"user_regularization": 4}}),
    "neural_cf": (
        "neural_cf_baseline",
        {
            "model": {"n_factors": 4, "hidden_dims": [8, 4]},
            "training": {"epochs": 4, "batch_size": 128, "optimizer": "adamw"},
        },
    ),
    "vae_pair": (
        "quickstart",
        {"model": {"n_factors": 6, "hidden_dims": [10, 6], "latent_dim": 4}, "training": PAIR_TRAINING},
    ),
    "vae_pair_to_the_letter": (
        "hybrid_vae_word_for_word",
        {
            "model": {"n_factors": 6, "hidden_dims": [10, 6], "latent_dim": 4},
            "training": {"epochs": 4, "batch_size": 128, "early_stopping": {"patience": 2}},
        },
    ),
    "vae_two_sided": (
        "hybrid_vae_two_sided",
        {"model": {**TWO_SIDED, "id_embeddings": True}, "training": {"epochs": 3, "batch_share": 0.2}},
    ),
    "vae_variants": (
        "hybrid_vae_attention",
        {
            "model": {**TWO_SIDED, "variants": ["skip", "attention", "hierarchical"], "sessions": [3]},
            "training": {"epochs": 4, "batch_share": 0.2},
        },
    ),
    "bayesian_mf": ("bayesian_mf", {"model": BAYESIAN}),
    "bayesian_mf_stars_only": (
        "bayesian_mf_stars_only",
        {"model": {key: BAYESIAN[key] for key in ("n_factors", "sweeps", "burn_in", "kept_draws")}},
    ),
    "ease": ("ease", {"model": {"regularization": 20}}),
    "ials": ("ials", {"model": {"n_factors": 4, "sweeps": 3}}),
    "item_knn": ("item_knn", {"model": {"neighbours": 10, "shrinkage": 5, "positive_from": 4.0}}),
    "mult_vae": (
        "mult_vae",
        {"model": {"hidden_dim": 12, "latent_dim": 4, "epochs": 4, "batch_size": 20}},
    ),
    "list_blend": ("list_blend", {"model": {"members": LISTS}}),
    "stars_and_lists": (
        "stars_and_lists",
        {
            "model": {
                "stars": BAYESIAN | {"sessions": [3, 8]},
                "lists": {"members": [*LISTS, {"model": {"name": "item_knn", "neighbours": 10}}]},
            }
        },
    ),
    "of_an_import": (
        "user_item_bias",
        {"data": {"name": "mine"}, "split": {"protocol": "global_temporal"}},
    ),
    "of_a_file": (
        "quickstart",
        {
            "data": {"name": "a file", "path": common.PLAIN_FILE},
            "split": {"protocol": "user_temporal"},
            "model": {"n_factors": 4, "hidden_dims": [6], "latent_dim": 4},
            "training": {"epochs": 2, "batch_size": 200},
        },
    ),
}
"""Each family of models, by the name of its run: the template, and what is laid over it."""
STOPPED = {"vae_pair": 27, "vae_two_sided": 6, "vae_variants": 15, "bayesian_mf": 19, "stars_and_lists": 4}
"""Runs that are stopped: what each is a clone of, and after how many questions whether to stop."""
ENSEMBLES = {
    "by_mean": ("mean", ["user_item_bias", "vae_pair", "bayesian_mf"]),
    "by_ridge": ("ridge", ["user_item_bias", "vae_variants", "bayesian_mf"]),
    "by_trees": ("gbm", ["user_item_bias", "neural_cf", "stars_and_lists"]),
}
SPLITS: dict[str, Any] = {
    "random": RandomSplit(),
    "random without validation": RandomSplit(validation=0.0, test=0.3, seed=5),
    "kfold": KFoldSplit(folds=5, fold=3, seed=2),
    "user_temporal": UserTemporalSplit(validation=0.2, test=0.2),
    "leave_last": LeaveLastSplit(k=2),
    "global_temporal": GlobalTemporalSplit(),
}
COMPARED = {
    "experiment list": ("experiment", "list", "--all", "--json"),
    "experiment search": ("experiment", "search", "vae", "--sort", "val_rmse", "--json"),
    "experiment compare": (
        *("experiment", "compare", "vae_pair_2", "bayesian_mf_2", "stars_and_lists_2", "ease", "--json"),
    ),
    "experiment best": ("experiment", "best", "--metric", "test_ndcg@10_full", "--data", "ml-100k", "--json"),
    "experiment export": ("experiment", "export", "vae_variants_2", "list_blend", "--json"),
    "experiment templates": ("experiment", "templates", "--json"),
    **{
        f"experiment show {name}": ("experiment", "show", name, "--json")
        for name in (
            "vae_pair_2",
            "vae_variants_2",
            "bayesian_mf_2",
            "of_a_file",
            "stopped_vae_pair",
            "failed",
        )
    },
    "ensemble list": ("ensemble", "list", "--json"),
    **{f"ensemble show {name}": ("ensemble", "show", name, "--json") for name in ENSEMBLES},
    "data list": ("data", "list", "--json"),
    "data describe ml-100k": ("data", "describe", "ml-100k", "--json"),
    "data check mine": ("data", "check", "mine", "--json"),
}
ASKED = {
    "users": [0, 3, 17, 41, -1],
    "items": [0, 5, 11, 20, 33, -1],
    "timestamps": [820_454_400, 1_262_304_000],
    "history": {"items": [2, 7, 19, 30], "ratings": [5.0, 3.0, 1.0, 4.0]},
}
"""What every bundle is asked: all pairs of these users and items, their lists, and a person never seen."""


def generated_table() -> dict[str, Any]:
    """Return generated users, items and ratings as plain JSON values."""
    ratings = synthetic_ratings(N_USERS, N_ITEMS, N_RATINGS, seed=11).ratings
    rng = np.random.default_rng(11)
    assert ratings.item_table is not None
    assert ratings.timestamps is not None
    columns = (ratings.users + 1, ratings.items + 1, ratings.ratings.astype(int), ratings.timestamps)
    order = rng.permutation(len(ratings))
    jobs, zips = ("student", "writer", "engineer", "other"), ("10115", "85711", "T8H1N", "32067")
    return {
        "genres": list(GENRES),
        "users": [
            [
                user + 1,
                int(rng.integers(12, 80)),
                "MF"[rng.integers(2)],
                jobs[rng.integers(4)],
                zips[user % 4],
            ]
            for user in range(N_USERS)
        ],
        "items": [
            [row["item_id"], row["title"], row["year"], row["genres"]]
            for row in ratings.item_table.iter_rows(named=True)
        ],
        "ratings": np.column_stack(columns)[order].tolist(),
    }


def answers(recommender: Any) -> dict[str, np.ndarray[Any, Any]]:
    """Return what a model says to the questions of `ASKED`."""
    users, items = (grid.ravel() for grid in np.meshgrid(ASKED["users"], ASKED["items"], indexing="ij"))
    history = (np.array(ASKED["history"]["items"]), np.array(ASKED["history"]["ratings"], np.float32))
    nothing = (np.empty(0, np.int64), np.empty(0, np.float32))
    found = {
        "predict": recommender.predict(users, items),
        "score": recommender.score(np.array(ASKED["users"])),
        "fold_in": recommender.fold_in(*history),
        "fold_in nothing": recommender.fold_in(*nothing),
    }
    if isinstance(recommender, TimedRecommender):
        for time in ASKED["timestamps"]:
            times = np.full(len(users), time, dtype=np.int64)
            found[f"predict_at {time}"] = recommender.predict_at(users, items, times)
    if isinstance(recommender, ListRecommender):
        found["score_history"] = recommender.score_history(*history)
        found["score_history nothing"] = recommender.score_history(*nothing)
    return found


def recsys(*words: str) -> str:
    """Type a command and return what it prints."""
    printed = io.StringIO()
    with redirect_stdout(printed):
        code = main(words)
    if code:
        raise SystemExit(f"recsys {' '.join(words)}: exit code {code}")
    return printed.getvalue()


def changes_of(name: str) -> dict[str, Any]:
    """Return the modifications of a run, with what all have in common."""
    changes = RUNS[name][1]
    training = {"device": "cpu", **changes.get("training", {})}
    common_ones = {"split": RANDOM, "evaluation": {"bootstrap_samples": 100}}
    return {**common_ones, **changes, "training": training}


def make_runs(settings: Settings) -> dict[str, str]:
    """Carry out every run, and leave some planned, stopped, failed and archived; return ids by name."""
    ids: dict[str, str] = {}
    for name, (template, _) in RUNS.items():
        words = (
            "experiment",
            "create",
            template,
            name,
            "-m",
            json.dumps(changes_of(name)),
            "--tag",
            "golden",
        )
        ids[name] = json.loads(recsys(*words, "--json"))["id"]
        execute(ids[name], settings)
        print(name)
    for name, count in STOPPED.items():
        ids[f"stopped_{name}"] = clone(ids[name], f"stopped_{name}")
        try:
            execute(ids[f"stopped_{name}"], settings, stop=after(count))
        except TrainingStopped as exc:
            print(f"stopped_{name}: {exc}")
    words = ("experiment", "create", "quickstart", "failed", "-m", '{"split": {"protocol": "official"}}')
    ids["failed"] = json.loads(recsys(*words, "--json"))["id"]
    try:
        execute(ids["failed"], settings)
    except RecsysError as exc:
        print(f"failed: {exc}")
    ids["planned"] = clone(ids["vae_pair"], "planned", '{"training": {"kl_weight": 0.5}}')
    ids["archived"] = clone(ids["vae_pair"], "archived")
    recsys("experiment", "archive", ids["archived"])
    return ids


def clone(run_id: str, name: str, changes: str = "{}") -> str:
    """Plan the same experiment again."""
    return str(json.loads(recsys("experiment", "clone", run_id, name, "-m", changes, "--json"))["id"])


def after(count: int) -> Callable[[], bool]:
    """Return what says True when it is asked for the ``count``-th time."""
    asked = iter(range(1, count + 1))
    return lambda: next(asked, count) == count


def make_ensembles(ids: dict[str, str]) -> None:
    """Blend completed runs."""
    for name, (blend, members) in ENSEMBLES.items():
        recsys("ensemble", "run", name, *(ids[member] for member in members), "--blend", blend, "--json")
        print(name)


def expectations(settings: Settings, ids: dict[str, str]) -> dict[str, Any]:
    """Return everything that is compared as plain JSON values."""
    bundles = {name: settings.runs / ids[name] / "bundle" for name in RUNS}
    bundles |= {name: settings.ensembles / name / "bundle" for name in ENSEMBLES}
    checkpoints = sorted(path for path in settings.runs.glob("*/checkpoints/*.ckpt") if kept(path))
    ratings = {name: load_ratings(name, settings) for name in ("ml-100k", "mine")}
    return {
        "commit": "2d3770e",
        "fingerprint": common.fingerprint(),
        "ids": ids,
        "made_by": {name: {"template": RUNS[name][0], "modifications": changes_of(name)} for name in RUNS},
        "stopped": {f"stopped_{name}": name for name in STOPPED},
        "ensembles": {
            name: {"blend": blend, "members": [ids[member] for member in members]}
            for name, (blend, members) in ENSEMBLES.items()
        },
        "asked": ASKED,
        "commands": COMPARED,
        "template_hashes": {
            template.name: registry.config_hash(template.config("any")) for template in all_templates()
        },
        "config_hashes": {
            name: registry.config_hash(registry.load_config(run_id, settings)) for name, run_id in ids.items()
        },
        "content_hashes": {name: table.content_hash for name, table in ratings.items()},
        "split_configs": {name: config.model_dump(mode="json") for name, config in SPLITS.items()},
        "split_hashes": {
            data: {name: make_split(table, config).hash for name, config in SPLITS.items()}
            for data, table in ratings.items()
        },
        "bundles": {
            name: {file.name: sha256(file) for file in sorted(folder.iterdir())}
            for name, folder in bundles.items()
        },
        "checkpoints": {str(path.relative_to(settings.home)): described(path) for path in checkpoints},
    }


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def described(path: Path) -> dict[str, Any]:
    """Return what a checkpoint holds: the shapes of its arrays, and what it says beside them."""
    tensors, metadata = read_checkpoint(path)
    shapes = {name: list(tensor.shape) for name, tensor in sorted(tensors.items())}
    return {"shapes": shapes, "metadata": sorted(metadata), "sha256": sha256(path)}


def pack(root: Path, target: Path) -> None:
    """Write home/ and data/ to an archive whose bytes depend on their content alone."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as archive:
        for path in sorted(path for part in ("home", "data") for path in (root / part).rglob("*")):
            if path.is_file() and not path.name.endswith(".lock") and kept(path):
                entry = tarfile.TarInfo(str(path.relative_to(root)))
                entry.size, entry.mode = path.stat().st_size, 0o644
                with path.open("rb") as file:
                    archive.addfile(entry, file)
    target.write_bytes(lzma.compress(plain.getvalue(), preset=9 | lzma.PRESET_EXTREME))


def kept(path: Path) -> bool:
    """Whether a file goes into the archive: of pages of reports, one; of notes on files' times, none.

    Of the checkpoints before the last, only those of runs that were stopped.
    """
    if path.name == "report.html":
        return "by_ridge" in str(path)
    if path.name == "previous.ckpt":
        return "stopped_" in str(path)
    return "fingerprints" not in path.parts


def make(target: Path) -> None:
    """Make everything in a temporary folder, then write it to ``target``."""
    table = generated_table()
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        os.environ |= {
            "RECSYS_HOME": str(root / "home"),
            "RECSYS_DATA": str(root / "data"),
            "RECSYS_DATA_PATH": str(root / "shelf"),
        }
        common.write_ml_100k(root / "shelf" / "ml-100k", table)
        common.write_own(root, table)
        os.chdir(root)  # the run of a file names it by a relative path
        recsys("data", "import", common.OWN_FILE, "--name", "mine", "--columns", common.OWN_COLUMNS)
        settings = load_settings()
        ids = make_runs(settings)
        make_ensembles(ids)
        shutil.rmtree(settings.predictions.parent / "wandb", ignore_errors=True)
        expected = expectations(settings, ids)
        folders = {"home": settings.home, "data": settings.data, "shelf": root / "shelf"}
        outputs = {
            key: common.without_paths(json.loads(recsys(*words)), folders) for key, words in COMPARED.items()
        }
        answered = {
            f"{name}/{question}": answer
            for name in expected["bundles"]
            for question, answer in answers(load_bundle(bundle_of(name, settings, ids)).recommender).items()
        }
        target.mkdir(parents=True, exist_ok=True)
        pack(root, target / common.ARCHIVE)
        write_json(target / common.TABLE, table)
        write_json(target / common.EXPECTED, expected)
        write_json(target / common.OUTPUTS, outputs)
        np.savez_compressed(target / common.ANSWERS, **answered)


def bundle_of(name: str, settings: Settings, ids: dict[str, str]) -> Path:
    """Return the bundle of a run or an ensemble."""
    folder = settings.runs / ids[name] if name in ids else settings.ensembles / name
    return folder / "bundle"


def write_json(path: Path, values: dict[str, Any]) -> None:
    """Write plain values, a line for each entry of each section."""
    sections = [f" {json.dumps(key)}: {lines_of(value)}" for key, value in values.items()]
    path.write_text("{\n" + ",\n".join(sections) + "\n}\n", encoding="utf-8")


def lines_of(value: Any) -> str:
    """Return a section as JSON, a line for each of its entries."""
    if isinstance(value, dict) and value:
        inside = [f"{json.dumps(key)}: {json.dumps(entry)}" for key, entry in value.items()]
        return "{\n  " + ",\n  ".join(inside) + "\n }"
    if isinstance(value, list) and value:
        return "[\n  " + ",\n  ".join(map(json.dumps, value)) + "\n ]"
    return json.dumps(value)


if __name__ == "__main__":
    make(Path(sys.argv[1]).resolve())
