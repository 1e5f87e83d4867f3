"""The page shows every metric, escapes values from outside and fetches nothing."""

import dataclasses
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from movielens_recsys.data.config import RandomSplit
from movielens_recsys.data.ratings import Ratings
from movielens_recsys.data.scale import Scale
from movielens_recsys.data.splits.split import Split
from movielens_recsys.evaluation.evaluate import evaluate
from movielens_recsys.evaluation.metric_name import MetricName
from movielens_recsys.reports.run_report import (
    RunPage,
    headline,
    interval_text,
    render_report,
    value_in,
    write_report,
)
from movielens_recsys.schema import Finding, Severity

HARMFUL = "<script>alert('x')</script>"
VOID = {"meta", "br", "hr", "img", "link", "input"}


class MatrixRecommender:
    """Predicts from a matrix of ratings, users x items."""

    def __init__(self, matrix):
        self.matrix = matrix
        self.n_users, self.n_items = matrix.shape

    def predict(self, users, items):
        return self.matrix[users, items]

    def score(self, users):
        return self.matrix[users]

    def fold_in(self, items, ratings):
        return self.matrix[0]


class Outline(HTMLParser):
    """Collects tags, attributes and text, and checks that every element is closed."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.attributes, self.text = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture(scope="module")
def report():
    rng = np.random.default_rng(0)
    pairs = rng.permutation(np.argwhere(rng.random((30, 40)) < 0.5))
    ratings = Ratings(
        name="made here",
        users=pairs[:, 0].astype(np.int32),
        items=pairs[:, 1].astype(np.int32),
        ratings=rng.integers(1, 6, len(pairs)).astype(np.float32),
        timestamps=None,
        user_ids=np.arange(30),
        item_ids=np.arange(40),
        scale=Scale(1, 5, 1),
    )
    train, test = np.arange(100, len(pairs)), np.arange(100)
    split = Split(ratings, RandomSplit(), train, np.arange(0), test)
    worse, better = rng.uniform(1, 5, (30, 40)), np.full((30, 40), 3.0)
    return evaluate(MatrixRecommender(better), split, references={"user+item bias": MatrixRecommender(worse)})


@pytest.fixture(scope="module")
def page(report):
    epochs = [
        {
            "epoch": epoch,
            "train_loss": 1.2 / epoch,
            "val_loss": 1.3 / epoch,
            "val_mse": 1.0 / epoch,
            "val_rmse": 1.1 / epoch,
            "val_kl": 0.2,
            "learning_rate": 0.001,
            "samples_per_s": 9000.0,
        }
        for epoch in range(1, 6)
    ]
    return RunPage(
        title=f"run {HARMFUL}",
        model=f"hybrid VAE {HARMFUL}",
        report=report,
        command=f"recsys experiment run {HARMFUL}",
        targets=[
            {"metric": "rmse", "target": "< 0.55", "part": "validation", "protocol": "random split"}
            | {"validation": 0.9, "test": 0.91, "met": False},
            {"metric": "loss", "target": "< 0.55", "part": "validation", "protocol": "random split"}
            | {"validation": 0.82, "test": None, "met": False},
            {"metric": "ndcg_at_10", "target": "> 0.45", "part": "validation"}
            | {"protocol": "rated ranking, random split", "validation": 0.8, "test": 0.79, "met": True},
            {"metric": "precision_at_10", "target": "> 0.4", "part": "validation"}
            | {"protocol": "full ranking, random split", "validation": None, "test": None, "met": None},
        ],
        history=epochs,
        best_epoch=4,
        recommendations=[
            {"title": f"Film {HARMFUL}", "predicted": 4.5, "genres": [HARMFUL]},
            {"title": "No genres (1999)", "predicted": 4.4},
        ],
        recommended_to=f"user {HARMFUL}",
        ordered_by=f"score {HARMFUL}",
        findings=[Finding(HARMFUL, 3.0, None, Severity.WARNING, f"look {HARMFUL}")],
        warnings=[
            {"name": HARMFUL, "value": 0.02, "threshold": 0.015, "advice": HARMFUL, "accepted": True},
            {"name": "loss_gap", "value": 0.1612345, "threshold": 0.15, "advice": HARMFUL, "epoch": 19},
        ],
        contingencies=[
            {
                "cause": HARMFUL,
                "epoch": 3,
                "mode": "auto",
                "action": HARMFUL,
                "changes": {"kl_weight": {"old": HARMFUL, "new": 0.005}},
                "commands": [HARMFUL],
            }
        ],
        configuration={"name": HARMFUL, "model": {"hidden_dims": [512, 256], "early": {"patience": 7}}},
        environment={"python": "3.11.9", "libraries": {"torch": HARMFUL}},
        hashes={"data": "ab" * 32},
    )


@pytest.fixture(scope="module")
def outline(page):
    parser = Outline()
    parser.feed(render_report(page))
    assert parser.open == []
    return parser


def test_every_metric_is_there(page, outline):
    text = " ".join(outline.text)
    for measured in page.report.metrics:
        assert f"{measured.value:.4f}" in text
        if measured.low is not None:
            assert f"{measured.low:.4f} to {measured.high:.4f}" in text
    for values in page.report.references.values():
        for measured in values:
            assert f"{measured.value:.4f}" in text


def test_every_section_is_there(outline):
    text = " ".join(outline.text)
    headings = (
        "Targets",
        "Metrics",
        "Compared with reference models",
        "Learning curves",
        "Calibration",
        "Distribution of the ratings",
        "Recommendations for user",
        "Ordered by score",
    )
    for words in (
        *headings,
        "met",
        "missed",
        "not measured",
        "512, 256",
        "early.patience",
        "ab" * 32,
        "3.11.9",
    ):
        assert words in text


def test_values_from_outside_are_escaped(outline):
    assert "script" not in outline.tags
    assert "".join(outline.text).count(HARMFUL) >= 10


def test_nothing_is_fetched(page, outline):
    assert not {"link", "img", "iframe", "script", "object", "embed"} & set(outline.tags)
    assert not {"src", "href", "onload", "xlink:href"} & {name for name, _ in outline.attributes}
    assert not re.search(r"https?:|url\(|@import", render_report(page))
    assert "default-src 'none'" in dict(outline.attributes)[
        "content"
    ] or "default-src 'none'" in render_report(page)


def test_loss_and_rmse_have_charts_of_their_own(page):
    html = render_report(page)
    drawings = [drawing for drawing in re.findall(r"<svg.*?</svg>", html, re.S) if "epoch" in drawing]
    names = [re.search(r'aria-label="([^"]*)"', drawing).group(1) for drawing in drawings]
    assert names == [
        "loss by epoch",
        "RMSE of ratings by epoch",
        "KL per latent dimension by epoch",
        "learning rate by epoch",
    ]
    assert "RMSE" not in drawings[0]
    assert "loss" not in drawings[1]


def test_each_target_has_the_value_of_a_random_order(page):
    html = render_report(page)
    random = page.report.metric_value("ndcg@10", "rated", reference="random").value
    row = next(row for row in re.findall(r"<tr>.*?</tr>", html, re.S) if "rated ranking" in row)
    assert f"{random:.4f}" in row


def test_models_without_epochs_have_no_learning_curves(page):
    bare = RunPage(title="bias", model="user+item bias", report=page.report, command="recsys demo")
    html = render_report(bare)
    for words in ("Learning curves", "<h2>Targets", "Recommendations", "Configuration", "data checks"):
        assert words not in html


def test_the_headline_names_data_protocol_and_baseline(report):
    sentence = headline(report)
    assert "100 held-out ratings of made here (test part, random split)" in sentence
    assert "better than user+item bias" in sentence
    swapped = dataclasses.replace(report, metrics=report.references["user+item bias"])
    assert "level with" in headline(swapped)
    alone = dataclasses.replace(report, references={})
    assert headline(alone).endswith(f"to {report.metric_value('rmse').high:.4f}.")


def test_values_and_intervals_as_text(report):
    rmse = MetricName.parse("rmse")
    assert list(report.references) == ["random", "popularity", "user+item bias", "perfect"]
    assert value_in(report.metrics, rmse) == f"{report.metric_value('rmse').value:.4f}"
    assert value_in(report.references["popularity"], rmse) == "–"
    assert value_in(report.references["perfect"], rmse) == "0.0000"
    ndcg = report.metric_value("ndcg@10", "full").name
    assert value_in(report.references["perfect"], ndcg) == "1.0000"
    assert interval_text(report.metric_value("coverage@10", "full")) == "–"


def test_the_file_is_what_was_rendered(page, tmp_path):
    write_report(tmp_path / "run" / "report.html", page)
    assert (tmp_path / "run" / "report.html").read_text(encoding="utf-8") == render_report(page)
