"""One value reads, writes, sorts and labels a metric's name in all three forms."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from movielens_recsys.errors import UnknownNameError
from movielens_recsys.evaluation.metric_definitions import (
    HELD_OUT,
    PROTOCOLS,
    RANKING_METRICS,
    RATING_METRICS,
    TRAINING_METRICS,
)
from movielens_recsys.evaluation.metric_name import PART_PREFIXES, MetricName, run_metric_name

PARTS = st.sampled_from(list(PART_PREFIXES))
NAMES = st.one_of(
    st.builds(MetricName, metric=st.sampled_from([*RATING_METRICS, *TRAINING_METRICS]), part=PARTS),
    st.builds(
        MetricName,
        metric=st.sampled_from(list(RANKING_METRICS)),
        k=st.none() | st.integers(1, 10**6),
        protocol=st.sampled_from(list(PROTOCOLS)),
        part=PARTS,
    ),
)


@given(NAMES)
def test_what_is_written_is_read_back(name):
    assert MetricName.parse(str(name)) == name


@given(NAMES)
def test_the_report_form_is_read_back(name):
    assert MetricName.of_report(name.with_cutoff, name.protocol).on(name.part) == name


@given(NAMES)
def test_an_at_sign_is_read_like_the_words(name):
    assert MetricName.parse(str(name).replace("_at_", "@")) == name


@given(st.text())
def test_any_text_is_carried_unchanged_except_for_the_at_sign(text):
    assert str(MetricName.parse(text)) == text.replace("@", "_at_")


@given(NAMES, st.sampled_from(["validation", "test"]))
def test_the_run_form_is_the_event_form_with_a_prefix(name, part):
    event_name = str(name.on(""))
    assert run_metric_name(part, event_name) == str(MetricName.parse(event_name).on(part))


@pytest.mark.parametrize(
    ("text", "metric", "k", "protocol", "part"),
    [
        ("val_ndcg_at_10_full", "ndcg", 10, "full", "validation"),
        ("test_hit_rate_at_5_rated", "hit_rate", 5, "rated", "test"),
        ("test_rmse", "rmse", None, HELD_OUT, "test"),
        ("val_loss", "loss", None, HELD_OUT, "validation"),
        ("train_loss", "loss", None, HELD_OUT, "train"),
        ("val_user_rmse", "user_rmse", None, HELD_OUT, "validation"),
        ("ndcg@10", "ndcg", 10, HELD_OUT, ""),
        ("spent_usd", "spent_usd", None, HELD_OUT, ""),
    ],
)
def test_the_parts_of_a_name(text, metric, k, protocol, part):
    assert MetricName.parse(text) == MetricName(metric, k, protocol, part)


def test_label_and_direction_come_from_the_table():
    name = MetricName.parse("test_map_at_20_rated")
    assert (name.label, name.better, name.higher_is_better) == ("MAP@20", "higher", True)
    assert not MetricName("rmse").higher_is_better
    assert not MetricName("novelty", 10, "full").higher_is_better


def test_an_unknown_metric_is_carried_and_refused_only_where_its_definition_is_needed():
    name = MetricName.parse("val_ndgc_at_10_full")
    assert str(name) == "val_ndgc_at_10_full"
    with pytest.raises(UnknownNameError, match="did you mean 'ndcg'"):
        _ = name.label


def test_tables_list_training_validation_test_and_ratings_before_rankings():
    in_order = [
        "train_loss",
        "val_loss",
        "val_rmse",
        "val_ndcg_at_10_full",
        "val_precision_at_10_full",
        "val_ndcg_at_10_rated",
        "test_rmse",
    ]
    assert sorted(reversed(in_order), key=lambda name: MetricName.parse(name).sort_key) == in_order


def test_listing_runs_pays_for_no_numpy():
    code = "import movielens_recsys.evaluation.metric_name, sys; print('numpy' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "False\n"
