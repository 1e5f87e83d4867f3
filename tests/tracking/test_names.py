"""Which trackers a run has is no part of what decides its metrics."""

from __future__ import annotations

import pytest

from movielens_recsys.errors import ConfigError, UsageError
from movielens_recsys.experiments.overrides import config_from_template
from movielens_recsys.runs import store
from movielens_recsys.settings import Settings
from movielens_recsys.tracking.names import MLFLOW, WANDB, storage_path, trackers_for


def test_the_trackers_of_a_run_are_not_part_of_its_config_hash() -> None:
    plain, tracked = (
        config_from_template("quickstart", "a"),
        config_from_template("quickstart", "a", {"tracking": {"wandb_project": "x"}}),
    )
    assert store.config_hash(plain) == store.config_hash(tracked)


@pytest.mark.parametrize(
    "tracking", [{"wandb_project": "a/b"}, {"wandb_project": ""}, {"wandb_entity": "a b"}]
)
def test_names_that_wandb_refuses_are_refused_at_creation(tracking: dict[str, str]) -> None:
    with pytest.raises(ConfigError):
        config_from_template("quickstart", "a", {"tracking": tracking})


def test_a_run_has_the_trackers_of_its_configuration_each_with_files_of_its_own(settings: Settings) -> None:
    plain = config_from_template("quickstart", "a")
    tracked = config_from_template("quickstart", "a", {"tracking": {"wandb_project": "x"}})
    assert trackers_for(plain, settings) == (MLFLOW,)
    assert trackers_for(tracked, settings) == (MLFLOW, WANDB)
    assert storage_path(MLFLOW, settings) != storage_path(WANDB, settings)


def test_a_run_is_not_copied_to_wandb_where_the_environment_switches_it_off(settings: Settings) -> None:
    tracked = config_from_template("quickstart", "a", {"tracking": {"wandb_project": "x"}})
    off = settings.model_copy(update={"wandb_mode": "disabled"})
    wrong = settings.model_copy(update={"wandb_mode": "ofline"})
    assert trackers_for(tracked, off) == (MLFLOW,)
    assert trackers_for(config_from_template("quickstart", "a"), wrong) == (MLFLOW,)
    with pytest.raises(UsageError, match="'ofline'"):
        trackers_for(tracked, wrong)
