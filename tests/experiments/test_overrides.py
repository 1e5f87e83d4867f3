import pytest

from movielens_recsys.data.config import KFoldSplit, RandomSplit
from movielens_recsys.errors import ConfigError
from movielens_recsys.experiments.overrides import (
    config_from_clone,
    config_from_template,
    merge,
)
from movielens_recsys.experiments.templates import load_template
from movielens_recsys.models.baselines_config import UserItemBiasConfig
from movielens_recsys.models.bayesian.config import BayesianMFConfig
from movielens_recsys.models.composite_config import RatingRankingConfig


def test_modifications_reach_one_key_and_leave_the_others() -> None:
    plain = config_from_template("hybrid_vae_optimized", "a")
    config = config_from_template("hybrid_vae_optimized", "a", {"training": {"seed": 42}})
    assert config.training.seed == 42
    assert config.training.model_copy(update={"seed": 0}) == plain.training
    assert config.model == plain.model


def test_another_kind_of_section_drops_the_values_of_the_old_kind() -> None:
    config = config_from_template(
        "quickstart", "a", {"split": {"protocol": "kfold", "fold": 1}, "model": {"name": "user_item_bias"}}
    )
    assert config.split == KFoldSplit(fold=1)
    assert config.model == UserItemBiasConfig()
    same_kind = config_from_template("quickstart", "a", {"split": {"protocol": "random", "seed": 3}})
    assert same_kind.split == RandomSplit(seed=3)


def test_another_kind_inside_a_section_drops_the_values_of_the_old_kind_too() -> None:
    stars = {"name": "bayesian_mf", "sweeps": 20, "burn_in": 10}
    config = config_from_template("stars_and_lists", "x", {"model": {"stars": stars}})
    assert isinstance(config.model, RatingRankingConfig)
    assert config.model.stars == BayesianMFConfig(sweeps=20, burn_in=10)
    assert config.model.lists == load_template("stars_and_lists").config("y").model.lists


def test_name_and_path_of_the_data_replace_each_other() -> None:
    at_path = {"data": {"name": "ratings", "path": "ratings.csv"}}
    assert merge(at_path, {"data": {"name": "ml-1m"}})["data"] == {"name": "ml-1m"}
    assert merge(at_path, {"data": {"path": "other.csv"}})["data"] == {"path": "other.csv"}
    assert merge(at_path, {"data": {}})["data"] == at_path["data"]
    assert merge({"data": {"typo": 7}}, {"data": {"name": "x"}})["data"] == {"typo": 7, "name": "x"}


def test_merging_changes_neither_of_its_arguments() -> None:
    base, change = {"training": {"seed": 0, "epochs": 3}}, {"training": {"seed": 1}}
    assert merge(base, change) == {"training": {"seed": 1, "epochs": 3}}
    assert (base, change) == ({"training": {"seed": 0, "epochs": 3}}, {"training": {"seed": 1}})


def test_tags_are_appended_and_a_description_replaces_the_template_s() -> None:
    config = config_from_template("quickstart", "a", {"tags": ["m"]}, description="mine", tags=["b", "m"])
    assert (config.tags, config.description) == (("m", "b"), "mine")
    assert config_from_template("quickstart", "a", tags=["b"]).tags == ("quickstart", "b")


def test_a_clone_keeps_the_configuration_but_not_the_name() -> None:
    original = config_from_template("quickstart", "a", {"training": {"seed": 7}})
    copy = config_from_clone(original, "b", {"training": {"epochs": 2}})
    assert (copy.name, copy.template, copy.training.seed, copy.training.epochs) == ("b", "quickstart", 7, 2)


@pytest.mark.parametrize(
    ("modifications", "message"),
    [
        ({"trainnig": {}}, "did you mean 'training'"),
        ({"training": {"sed": 1}}, "unknown key 'training.sed'.*did you mean 'seed'"),
        ({"model": {"latnt_dim": 3}}, "did you mean 'latent_dim'"),
        ({"model": {"name": "hybird_vae"}}, "did you mean 'hybrid_vae'"),
        ({"epochs": 5}, "unknown key 'epochs'.*did you mean 'training.epochs'"),
        ({"model": {"epochs": 5}}, "unknown key 'model.epochs'.*did you mean 'training.epochs'"),
        ({"batch_share": 0.1}, "did you mean 'training.batch_fraction'"),
        ({"seed": 1}, "did you mean 'split.seed' or 'training.seed' or 'evaluation.seed'"),
        ({"sweeps": 9}, "remove it: it is a key of bayesian_mf, ials"),
        ({"split": {"fold": 2}}, "unknown key 'split.fold'.*remove it: it is a key of kfold"),
        ({"split": {"protcol": "kfold"}}, "did you mean 'protocol'"),
        ({"training": {"early_stopping": {"pateince": 1}}}, "did you mean 'patience'"),
        ({"training": {"seed": -1}}, "training.seed.*found -1"),
        ({"training": {"seed": True}}, "training.seed.*found True"),
        ({"training": {"seed": "7"}}, "training.seed.*found '7'"),
        ({"training": {"epochs": 1.5}}, "training.epochs.*found 1.5"),
        ({"training": {"learning_rate": float("inf")}}, "training.learning_rate.*finite"),
        ({"training": 5}, "training.*found 5"),
        ({"model": None}, "model"),
        ({"tags": ["a b"]}, "tags.0"),
        ({"tags": 5}, "tags"),
        ({"description": "\x1b[31m"}, "description"),
        ({"name": "other"}, "'name' cannot be modified"),
        ({"training": {"swa": {"start": 10}}}, "training.swa.start.*found 10"),
        ({"training": {"swa": {}, "ema": {}}}, "swa and ema are both set"),
        ({"training": {"kl_annealing": {"beta_min": 0.5}}}, "beta_min 0.5 is above kl_weight"),
        ({"training": {"kl_anealing": {}}}, "did you mean 'kl_annealing'"),
        ({"training": {"micro_batch_size": 1}}, "training.micro_batch_size.*found 1"),
    ],
)
def test_a_wrong_modification_is_refused_in_one_line(modifications: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        config_from_template("hybrid_vae_optimized", "a", modifications)
    assert "\n" not in str(caught.value)
