"""Fields of messages: numbers with their units, and nothing where nothing was measured."""

from __future__ import annotations

import pytest

from movielens_recsys.notify.message_fields import (
    LOSS,
    best_epoch_fields,
    change_fields,
    config_fields,
    cost_fields,
    final_metric_fields,
    get_nested,
    target_fields,
)

CONFIG = {
    "data": {"name": "ml-100k"},
    "split": {"protocol": "random"},
    "model": {"name": "hybrid_vae"},
    "training": {"epochs": 50},
    "targets": {"rmse": 0.9, "ndcg_at_10": 0.4, "loss": None},
}
BEST = {"epoch": 7, "val_rmse": 0.91, "val_loss": 0.85}


def test_a_configuration_has_its_targets_with_their_direction() -> None:
    fields = dict(config_fields(CONFIG))
    assert fields["targets"] == "rmse < 0.9, ndcg_at_10 > 0.4"
    assert fields["data"] == "ml-100k, random split"
    assert "targets" not in dict(config_fields({**CONFIG, "targets": {"rmse": None}}))
    assert dict(config_fields({}))["model"] == "None"


def test_data_at_a_path_have_its_name_also_beside_the_default_of_earlier_versions() -> None:
    config = {**CONFIG, "data": {"name": "ml-100k", "path": "books/ratings.csv"}}
    assert dict(config_fields(config))["data"] == "ratings, random split"
    named = {**CONFIG, "data": {"name": "books", "path": "books/ratings.csv"}}
    assert dict(config_fields(named))["data"] == "books, random split"


@pytest.mark.parametrize(
    ("rmse", "text"),
    [
        (0.89, "0.8900 (target < 0.9: met)"),
        (0.9, "0.9000 (target < 0.9: not met)"),
        (None, "not a number (target < 0.9: not met)"),
    ],
)
def test_the_best_rmse_stands_beside_its_target_and_apart_from_the_loss(
    rmse: float | None, text: str
) -> None:
    fields = dict(best_epoch_fields({**BEST, "val_rmse": rmse}, CONFIG))
    assert fields == {"val_rmse": text, "val_loss": f"0.8500 ({LOSS})", "best epoch": "7 of at most 50"}
    assert best_epoch_fields(None, CONFIG) == []
    assert dict(best_epoch_fields(BEST, {}))["val_rmse"] == "0.9100"


def test_a_final_metric_has_its_interval_where_it_has_one() -> None:
    metrics = {
        "test_rmse": {"value": 0.9178, "low": 0.896, "high": 0.94},
        "test_coverage": {"value": 0.5, "low": None, "high": None},
    }
    assert final_metric_fields(metrics, None) == [
        ("test_rmse", "0.9178 [0.8960, 0.9400]"),
        ("test_coverage", "0.5000"),
    ]
    assert final_metric_fields({}, BEST)[0] == ("val_loss", f"0.8500 ({LOSS})")


@pytest.mark.parametrize(("met", "text"), [(True, "met"), (False, "missed"), (None, "not measured")])
def test_a_target_says_whether_it_was_met_and_on_what(met: bool | None, text: str) -> None:
    row = {"metric": "rmse", "target": "< 0.9", "protocol": "random split", "validation": 0.92, "test": None}
    assert target_fields([{**row, "met": met}]) == [
        ("target rmse < 0.9", f"{text}: validation 0.9200, test not a number; random split")
    ]


def test_a_machine_of_your_own_costs_nothing() -> None:
    assert cost_fields(3723.4, 0.0, 20.0) == [("duration", "1:02:03"), ("cost", "$0 (own machine)")]
    assert dict(cost_fields(1800, 2.0, 20.0))["cost"] == "$1.00 of $20.00, at $2.00 an hour"


def test_changes_show_the_old_and_the_new_value() -> None:
    changes = {"kl_weight": {"old": 0.01, "new": 0.005}, "swa": {"old": None, "new": {"start": 0.5}}}
    assert change_fields(changes) == [("kl_weight", "0.01 → 0.005"), ("swa", 'null → {"start": 0.5}')]


def test_a_missing_key_on_the_way_is_none() -> None:
    assert get_nested(CONFIG, "model", "name") == "hybrid_vae"
    assert get_nested(CONFIG, "model", "name", "deeper") is None
    assert get_nested(CONFIG, "nothing", "name") is None


def test_the_loss_of_a_model_without_a_latent_has_no_kl() -> None:
    assert final_metric_fields({}, {**BEST, "val_kl": 0.0})[0] == ("val_loss", "0.8500 (MSE, not an RMSE)")
    assert final_metric_fields({}, {**BEST, "val_kl": 0.2})[0] == ("val_loss", f"0.8500 ({LOSS})")
