"""What is refused before a run, and that the change which each refusal proposes is enough."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from movielens_recsys.data.config import RandomSplit
from movielens_recsys.data.datasets import DATASETS
from movielens_recsys.data.ratings import Ratings
from movielens_recsys.data.scale import Scale
from movielens_recsys.data.splits.split import make_split
from movielens_recsys.data.synthetic import synthetic_ratings
from movielens_recsys.errors import ConfigError, TrainingError
from movielens_recsys.experiments.data_facts import DataFacts
from movielens_recsys.experiments.modifications import parse_assignments
from movielens_recsys.experiments.overrides import config_from_template, merge
from movielens_recsys.experiments.requirements import (
    check_fit,
    check_requirements,
    check_run,
    set_in_clone,
)
from movielens_recsys.experiments.templates import all_templates
from movielens_recsys.models.implicit.ease_config import EASEConfig
from movielens_recsys.models.implicit.item_knn_config import ItemKNNConfig
from movielens_recsys.runs.config import ExperimentConfig
from movielens_recsys.runs.run import Run
from movielens_recsys.training.config import TrainingConfig

RATINGS = synthetic_ratings(40, 30, 500, seed=0).ratings


def ratings_of(values: list[float], scale: Scale) -> Ratings:
    """Return `RATINGS` with other ratings, drawn from ``values``."""
    drawn = np.random.default_rng(0).choice(np.array(values, np.float32), len(RATINGS))
    return replace(RATINGS, ratings=drawn, scale=scale)


LIKES = ratings_of([0, 1], Scale(0, 1, 1))
LOW = ratings_of([1, 2], Scale(1, 5, 1))


def facts_of(ratings: Ratings, config: ExperimentConfig) -> DataFacts:
    return DataFacts.of_split(make_split(ratings, config.split))


@pytest.mark.parametrize(
    ("template", "changes", "ratings", "words"),
    [
        ("quickstart", {"evaluation": {"relevance_threshold": 4}}, LIKES, "is 4, and .* from 0 to 1"),
        ("quickstart", {}, LOW, "no validation rating .* = 4: the highest is 2"),
        ("ease", {"model": {"min_positive_rating": 6}}, RATINGS, "min_positive_rating is 6, and"),
        ("ease", {}, LOW, "min_positive_rating = 3: the highest is 2"),
        ("stars_and_lists", {"model": {"lists": {"min_positive_rating": 6}}}, RATINGS, "model.lists"),
        ("quickstart", {"split": {"validation": 0}}, RATINGS, "validation part of 500 ratings empty"),
        ("quickstart", {"split": {"validation": 0.001}}, RATINGS, "validation part .* empty"),
        (
            "hybrid_vae_two_sided",
            {"training": {"batch_fraction": None, "batch_size": 2048}},
            RATINGS,
            "predicts all 400 training ratings",
        ),
        ("hybrid_vae_word_for_word", {"training": {"batch_size": 1}}, RATINGS, "a step has 1 row"),
    ],
)
def test_a_refusal_proposes_a_change_that_is_enough(
    template: str, changes: dict[str, Any], ratings: Ratings, words: str
) -> None:
    config = config_from_template(template, "a", changes)
    refusals: list[str] = []
    for _ in range(3):  # a data set may miss several requirements
        with pytest.raises(ConfigError) as caught:
            check_requirements(config, facts_of(ratings, config))
        refusals.append(str(caught.value))
        assignments = re.findall(r"--set (\S+)", caught.value.next_step)
        changes = merge(changes, parse_assignments(assignments))
        config = config_from_template(template, "a", changes)
        try:
            check_requirements(config, facts_of(ratings, config))
        except ConfigError:
            continue
        assert any(re.search(words, refusal) for refusal in refusals), refusals
        return
    pytest.fail("the proposed changes lead nowhere")


def test_every_template_may_be_trained_on_every_official_data_set() -> None:
    for template in all_templates():
        for info in DATASETS.values():
            check_requirements(template.config("a"), DataFacts.of_catalogue(info))
        config = template.config("a")
        check_requirements(config, facts_of(RATINGS, config))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"evaluation": {"relevance_threshold": 5.5}}, "from 0.5 to 5"),
        ({"split": {"protocol": "official"}}, "ml-10m has no official split u1"),
        ({"split": {"validation": 0}}, "validation part of 10,000,054 ratings empty"),
    ],
)
def test_the_catalogue_is_enough_for_some(changes: dict[str, Any], words: str) -> None:
    config = config_from_template("quickstart", "a", {"data": {"name": "ml-10m"}, **changes})
    with pytest.raises(ConfigError, match=words):
        check_requirements(config, DataFacts.of_catalogue(DATASETS["ml-10m"]))


def test_the_configuration_alone_is_enough_for_others() -> None:
    config = config_from_template("quickstart", "a", {"split": {"validation": 0}})
    with pytest.raises(ConfigError, match="leaves the validation part empty"):
        check_requirements(config, None)
    check_requirements(config_from_template("ease", "a", {"split": {"validation": 0}}), None)


def test_ratings_of_one_value_are_refused_whatever_the_model() -> None:
    config = config_from_template("global_mean", "a")
    with pytest.raises(ConfigError, match=r"every rating of .* is 1: there is nothing to predict"):
        check_requirements(config, facts_of(ratings_of([1], Scale(1, 1, 1)), config))


def test_implicit_data_are_refused_to_models_of_ratings_with_the_templates_that_fit() -> None:
    interactions = replace(ratings_of([1], Scale(0, 1, 1)), implicit=True)
    config = config_from_template("quickstart", "a")
    with pytest.raises(ConfigError, match=r"interactions without ratings; .* templates ease, ials, item_knn"):
        check_requirements(config, facts_of(interactions, config))
    config = config_from_template("ease", "a")
    check_requirements(config, facts_of(interactions, config))


def test_without_protocols_nothing_needs_to_be_relevant() -> None:
    config = config_from_template("user_item_bias", "a", {"evaluation": {"protocols": []}})
    check_requirements(config, facts_of(LOW, config))


def test_a_run_is_told_to_be_cloned() -> None:
    config = config_from_template("quickstart", "a")
    with pytest.raises(ConfigError, match=r"run a copy: `recsys experiment clone RUN NEW_NAME "):
        check_requirements(config, facts_of(LOW, config), set_in_clone("RUN"))


def test_a_trained_run_is_told_to_be_evaluated_and_needs_nothing_of_a_fit() -> None:
    config = config_from_template("quickstart", "a", {"training": {"device": "cuda"}})
    trained = Run("RUN", fitted=True)
    check_run(trained, config, make_split(RATINGS, RandomSplit()), resume=True)
    with pytest.raises(ConfigError, match=r"`recsys experiment evaluate RUN --set evaluation.relevance_thr"):
        check_run(trained, config, make_split(LOW, RandomSplit()), resume=True)


def test_in_python_a_fit_is_checked_and_nothing_of_an_evaluation() -> None:
    split = make_split(LOW, RandomSplit())
    check_fit(ItemKNNConfig(), TrainingConfig(), split)
    with pytest.raises(ConfigError, match=r"set model.min_positive_rating, say to 2\.0"):
        check_fit(EASEConfig(min_positive_rating=4), TrainingConfig(), split)


def test_a_device_that_is_not_here_is_refused_to_networks() -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    split = make_split(RATINGS, RandomSplit())
    cuda = {"training": {"device": "cuda"}}
    check_run(Run("RUN"), config_from_template("ease", "a", cuda), split)
    with pytest.raises(TrainingError, match=r"training\.device is cuda and no GPU"):
        check_run(Run("RUN"), config_from_template("quickstart", "a", cuda), split)


TOO_LARGE = """
import numpy as np, resource
from dataclasses import replace
from movielens_recsys.data.config import RandomSplit
from movielens_recsys.data.splits.split import make_split
from movielens_recsys.data.synthetic import synthetic_ratings
from movielens_recsys.experiments.modifications import parse_assignments
from movielens_recsys.experiments.overrides import config_from_template
from movielens_recsys.experiments.requirements import check_run
from movielens_recsys.runs.run import Run
ratings = synthetic_ratings(40, 30, 500, seed=0).ratings
many = replace(ratings, item_ids=np.arange(20_000))
resource.setrlimit(resource.RLIMIT_AS, (6 * 2**30, resource.RLIM_INFINITY))
check_run(Run("RUN"), config_from_template("ease", "a"), make_split(ratings, RandomSplit()))
large = config_from_template("ease", "a", {"model": {"max_items": 20_000}})
check_run(Run("RUN"), large, make_split(many, RandomSplit()))
"""


def test_a_fit_that_surely_does_not_fit_into_memory_is_refused() -> None:
    process = subprocess.run([sys.executable, "-c", TOO_LARGE], capture_output=True, text=True, check=False)
    assert process.returncode == 1
    line = process.stderr.splitlines()[-1]
    assert "ease needs at least 6.0 GiB of main memory for 40 users and 20,000 items, and " in line
    assert "run a copy: `recsys experiment clone RUN NEW_NAME --set model.max_items=10000`" in line
