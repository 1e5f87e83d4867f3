"""Charts place every value by its axis, also NaN, equal and tiny values."""

import math
import re
from xml.etree import ElementTree

import pytest

from movielens_recsys.web import charts
from movielens_recsys.web.charts import (
    IntervalRow,
    Series,
    bar_chart,
    interval_chart,
    line_chart,
    scatter_chart,
)


def parsed(chart):
    return ElementTree.fromstring(str(chart))


def dots(chart):
    return [(float(dot.get("cx")), float(dot.get("cy"))) for dot in parsed(chart).iter("circle")]


def test_lines_rise_where_values_rise():
    chart = line_chart(
        [Series("loss", [(1, 2.0), (2, 1.0), (3, 1.5)])], x_label="epoch", y_label="loss", mark=2
    )
    (x1, y1), (x2, y2), (x3, y3) = dots(chart)
    assert x2 - x1 == pytest.approx(x3 - x2)
    assert y1 < y3 < y2  # pixels count downwards
    assert y3 - y1 == pytest.approx(y2 - y3, abs=0.02)
    assert "loss, epoch 2: 1.0000" in str(chart)


@pytest.mark.parametrize("values", [[0.5, 0.5, 0.5], [0, 0], [1e-9, 3e-9], [math.nan, 1.0, math.inf], [1e6]])
def test_unusual_values_stay_inside_the_drawing(values):
    chart = line_chart([Series("a", list(enumerate(values)))], x_label="epoch", y_label="y")
    assert all(0 <= x <= charts.WIDTH and 0 <= y <= charts.HEIGHT for x, y in dots(chart))
    assert "nan" not in str(chart)
    assert len(dots(chart)) == sum(math.isfinite(value) for value in values)


def test_ticks_are_few_and_round():
    chart = line_chart([Series("a", [(1, 0.8123), (400, 0.9377)])], x_label="epoch", y_label="y")
    numbers = [text.text for text in parsed(chart).iter("text") if re.fullmatch(r"[\d.]+", text.text or "")]
    assert {"0.8", "0.85", "0.9", "0.95"} <= set(numbers)
    assert len(numbers) < 16


def test_equal_predictions_lie_on_the_diagonal():
    chart = scatter_chart([(2.0, 2.0, 10), (4.0, 4.0, 40)], x_label="p", y_label="a", low=1, high=5)
    line = next(line for line in parsed(chart).iter("line") if line.get("class") == "mark")
    x1, y1, x2, y2 = (float(line.get(name)) for name in ("x1", "y1", "x2", "y2"))
    for x, y in dots(chart):
        assert y == pytest.approx(y1 + (x - x1) / (x2 - x1) * (y2 - y1), abs=0.05)
    radii = [float(dot.get("r")) for dot in parsed(chart).iter("circle")]
    assert radii[1] > radii[0]


def test_bars_are_as_high_as_their_values():
    chart = bar_chart(
        ["1", "2"], [("actual", [0.1, 0.4]), ("predicted", [0.0, 0.2])], x_label="stars", y_label="share"
    )
    heights = [float(bar.get("height")) for bar in parsed(chart).iter("rect")]
    assert heights[1] == pytest.approx(4 * heights[0], abs=0.05)
    assert heights[2] == 0


def test_a_row_without_an_interval_has_no_whisker():
    rows = [IntervalRow("this run", 0.9, 0.8, 1.0, highlight=True), IntervalRow("random", 1.5, None, None)]
    whiskers = [
        line
        for line in parsed(interval_chart(rows, x_label="RMSE")).iter("line")
        if "whisker" in line.get("class")
    ]
    assert len(whiskers) == 1


def test_names_are_escaped():
    rows = [IntervalRow("<script>alert(1)</script>", 0.9, 0.8, 1.0)]
    assert "<script>" not in interval_chart(rows, x_label='"><script>')
    assert "<script>" not in line_chart([Series("<script>", [(1, 1.0)])], x_label="<b>", y_label="<i>")
