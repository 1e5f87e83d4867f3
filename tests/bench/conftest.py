"""Peers that are real scripts in real processes: a few that work, and one for each way to fail."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.shared import make_once

from movielens_recsys.bench.config import OwnConfig, OwnModel, Peer, read_bench_models
from movielens_recsys.bench.results import BenchResult, all_results
from movielens_recsys.bench.run import Options, run
from movielens_recsys.bench.tasks import Task
from movielens_recsys.data.config import KFoldSplit
from movielens_recsys.data.synthetic import synthetic_ratings
from movielens_recsys.settings import Settings

HEAD = """
import os, time
import numpy as np

LIBRARY = "numpy"
DISTRIBUTIONS = ()

def fit(train, validation, job):
    with open(job.settings["log"], "a") as log:
        log.write(f"{job.settings['name']}\\n")
    return Model(train, job)

class Model:
    def __init__(self, train, job):
        self.job = job
        self.mean = train.ratings.mean()
        counts = np.bincount(train.items, minlength=job.n_items)
        self.means = np.bincount(train.items, train.ratings - self.mean, job.n_items) / (counts + 5)
        self.counts = counts
"""
RATING_MODELS = {
    "item_mean": "return self.mean + self.means[items]",
    "mean": "return np.full(len(users), self.mean)",
    "wild": "return np.where(items % 2, 900.0, -900.0)",
    "crashing": 'raise RuntimeError("the matrix is singular")',
    "hanging": "time.sleep(600)",
    "killed": "os.kill(os.getpid(), 9)",
    "short": "return np.zeros(3)",
    "nan": "return np.full(len(users), np.nan)",
    "silent": "os._exit(0)",
}
LIST_MODELS = {
    "popular": "def score(self, users): return np.tile(self.counts, (len(users), 1))",
    "item_lists": "def score(self, users): return np.tile(self.means, (len(users), 1))",
    "leaking": "def top(self, users, k): return np.tile(np.arange(k), (len(users), 1))",
    "twice": "def top(self, users, k): return np.full((len(users), k), self.job.n_items - 1)",
    "invented": "def top(self, users, k): return np.full((len(users), k), self.job.n_items)",
}


def write_models_file(folder: Path, log: Path) -> Path:
    """Write a bench models file with all these peers, which append a line to ``log`` when they are fitted."""
    folder.mkdir()
    bodies = {
        name: f"    def predict(self, users, items, timestamps):\n        {code}\n"
        for name, code in RATING_MODELS.items()
    }
    bodies |= {name: f"    {code}\n" for name, code in LIST_MODELS.items()}
    peers = {}
    for name, body in bodies.items():
        (folder / f"{name}.py").write_text(HEAD + body)
        peers[name] = {
            "library": "fake",
            "script": f"{name}.py",
            "what": "made for this test",
            "suites": ["accuracy", "speed"] if name in RATING_MODELS else ["ranking"],
            "settings": {"log": str(log), "name": name, "epochs": 2},
            "passes": "epochs",
        }
    path = folder / "peers.yaml"
    path.write_text(json.dumps({"peers": peers}))
    return path


def write_ratings(path: Path) -> Path:
    """Write generated ratings to a file, which the processes of the bench load themselves."""
    ratings = synthetic_ratings(60, 80, 1_500, seed=3).ratings
    columns = np.column_stack([ratings.users, ratings.items, ratings.ratings, ratings.timestamps])
    lines = [f"{int(u)},{int(i)},{r:g},{int(t)}" for u, i, r, t in columns]
    path.write_text("user,item,rating,timestamp\n" + "\n".join(lines) + "\n")
    return path


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A file with a line for each fit of a peer."""
    path = tmp_path / "fitted.txt"
    path.touch()
    return path


@pytest.fixture
def models_file(tmp_path: Path, log: Path) -> Path:
    return write_models_file(tmp_path / "peers", log)


@pytest.fixture
def peers(models_file: Path) -> dict[str, Peer]:
    return read_bench_models(models_file)[0]


@pytest.fixture
def ratings_file(tmp_path: Path) -> Path:
    return write_ratings(tmp_path / "small.csv")


@pytest.fixture
def task(ratings_file: Path) -> Task:
    return Task("accuracy", str(ratings_file), KFoldSplit(folds=5))


Bench = Callable[..., list]


@pytest.fixture
def bench(settings: Settings, peers: dict[str, Peer], task: Task) -> Bench:
    """Run named peers on a task."""

    def call(*names: str, tasks=(task,), own=(), announce=lambda line: None, **options):
        models = [*own, *(peers[name] for name in names)]
        return run(tasks, models, settings, Options(**{"limit_s": 60.0, **options}), announce)

    return call


BIAS = OwnModel("user_item_bias", "user_item_bias", OwnConfig(suites=("accuracy",)))


@pytest.fixture(scope="session")
def saved_folder(tmp_path_factory) -> Path:
    """A folder with ratings and a home, in which a model of ours, two peers and a failing one have run."""

    def run_bench(folder: Path) -> None:
        peers = read_bench_models(write_models_file(folder / "peers", folder / "log.txt"))[0]
        task = Task("accuracy", str(write_ratings(folder / "small.csv")), KFoldSplit(folds=5))
        settings = Settings(home=folder / "home", data=folder / "data", data_path="")
        models = [BIAS, peers["mean"], peers["item_mean"], peers["crashing"]]
        run([task], models, settings, Options(), lambda line: None)

    return make_once(tmp_path_factory, "bench_results", run_bench)


@pytest.fixture
def saved(saved_folder: Path) -> list[BenchResult]:
    """The results of that run; tests only read them."""
    return all_results(Settings(home=saved_folder / "home"))
