"""Charts as inline SVG: no script, no address outside the page, light and dark by the colours of the page.

Every chart has one vertical axis for one quantity. Colours come from the classes in ``style.css``; every mark
has its values as a tooltip.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

WIDTH, HEIGHT = 460.0, 270.0
LEFT, RIGHT, TOP, BOTTOM = 78.0, 14.0, 14.0, 42.0
NARROW, ROW, NAMES = 330.0, 26.0, 104.0


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a chart: (x, y) points in the order of x."""

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class IntervalRow:
    """One row of a comparison: a value with its interval; ``highlight`` marks the subject of the page."""

    name: str
    value: float
    low: float | None
    high: float | None
    highlight: bool = False


@dataclass(frozen=True, slots=True)
class _Axis:
    """A linear map from values to pixels with round ticks."""

    low: float
    high: float
    start: float
    end: float
    ticks: tuple[float, ...]

    @classmethod
    def over(cls, values: Sequence[float], start: float, end: float, *, whole: bool = False) -> _Axis:
        finite = [value for value in values if math.isfinite(value)] or [0.0, 1.0]
        low, high = min(finite), max(finite)
        if high - low < 1e-12:
            margin = 1.0 if whole or high == 0 else abs(high) * 0.05
            low, high = low - margin, high + margin
        step = _round_step((high - low) / 4, whole=whole)
        first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
        ticks = tuple(round(number * step, 12) for number in range(first, last + 1))
        return cls(ticks[0], ticks[-1], start, end, ticks)

    def at(self, value: float) -> float:
        """Return the pixel of a value."""
        return round(self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start), 2)


def line_chart(series: Sequence[Series], *, x_label: str, y_label: str, mark: float | None = None) -> Markup:
    """Draw lines over a common x; ``mark`` is an x with a dashed line, such as the best epoch."""
    x = _Axis.over([p[0] for s in series for p in s.points], LEFT, WIDTH - RIGHT, whole=True)
    y = _Axis.over([p[1] for s in series for p in s.points], HEIGHT - BOTTOM, TOP)
    parts = [_frame(x, y, x_label, y_label)]
    if mark is not None and x.low <= mark <= x.high:
        parts.append(_line(x.at(mark), TOP, x.at(mark), HEIGHT - BOTTOM, "mark"))
    for number, line in enumerate(series):
        points = [(px, py) for px, py in line.points if math.isfinite(py)]
        path = " ".join(f"{x.at(px)},{y.at(py)}" for px, py in points)
        parts.append(Markup('<polyline class="line s{}" points="{}"/>').format(number, path))
        parts += [
            _dot(x.at(px), y.at(py), 2.6, f"s{number}", f"{line.name}, {x_label} {px:g}: {py:.4f}")
            for px, py in points
        ]
    return _svg(parts, WIDTH, HEIGHT, f"{y_label} by {x_label}")


def scatter_chart(
    points: Sequence[tuple[float, float, int]], *, x_label: str, y_label: str, low: float, high: float
) -> Markup:
    """Draw points (x, y, count) with areas by count, over the diagonal x = y."""
    x, y = _Axis.over([low, high], LEFT, WIDTH - RIGHT), _Axis.over([low, high], HEIGHT - BOTTOM, TOP)
    largest = max((count for _, _, count in points), default=1)
    parts = [
        _frame(x, y, x_label, y_label),
        _line(x.at(low), y.at(low), x.at(high), y.at(high), "mark"),
        *(
            _dot(
                x.at(px),
                y.at(py),
                2.5 + 9.5 * math.sqrt(count / largest),
                "s0 soft",
                f"{x_label} {px:.2f}, {y_label} {py:.2f}, {count:,} ratings",
            )
            for px, py, count in points
        ),
    ]
    return _svg(parts, WIDTH, HEIGHT, f"{y_label} by {x_label}")


def bar_chart(
    labels: Sequence[str], series: Sequence[tuple[str, Sequence[float]]], *, x_label: str, y_label: str
) -> Markup:
    """Draw groups of bars, one group per label and one bar per series."""
    y = _Axis.over([0.0, *(value for _, values in series for value in values)], HEIGHT - BOTTOM, TOP)
    slot = (WIDTH - LEFT - RIGHT) / max(len(labels), 1)
    bar = slot * 0.76 / len(series)
    centres = [LEFT + slot * (position + 0.5) for position in range(len(labels))]
    parts = [_horizontal_grid(y), _axis_names(x_label, y_label)]
    parts += [
        _text(centre, HEIGHT - BOTTOM + 16, label, "middle")
        for centre, label in zip(centres, labels, strict=True)
    ]
    for number, (name, values) in enumerate(series):
        for centre, label, value in zip(centres, labels, values, strict=True):
            x = centre + (number - len(series) / 2) * bar
            height = y.at(0) - y.at(value)
            parts.append(
                Markup(
                    '<rect class="bar s{}" x="{:.2f}" y="{}" width="{:.2f}" height="{:.2f}" rx="1.5">'
                    "<title>{}</title></rect>"
                ).format(number, x, y.at(value), bar - 1.5, height, f"{name}, {label}: {value:.1%}")
            )
    return _svg(parts, WIDTH, HEIGHT, f"{y_label} by {x_label}")


def interval_chart(rows: Sequence[IntervalRow], *, x_label: str) -> Markup:
    """Draw one value per row with its interval, all on one axis."""
    height = TOP + ROW * len(rows) + BOTTOM
    ends = [end for row in rows for end in (row.low, row.high, row.value) if end is not None]
    x = _Axis.over(ends, NAMES, NARROW - RIGHT)
    parts = [_vertical_grid(x, height), _text((NAMES + NARROW) / 2, height - 6, x_label, "middle", "name")]
    for position, row in enumerate(rows):
        y = TOP + ROW * (position + 0.5)
        css_class = "s0" if row.highlight else "plain"
        interval = ""
        if row.low is not None and row.high is not None:
            interval = f" ({row.low:.4f} to {row.high:.4f})"
            parts.append(_line(x.at(row.low), y, x.at(row.high), y, f"whisker {css_class}"))
        parts.append(_text(NAMES - 12, y + 4, row.name, "end", "highlight" if row.highlight else ""))
        parts.append(_dot(x.at(row.value), y, 4.5, css_class, f"{row.name}: {row.value:.4f}{interval}"))
    return _svg(parts, NARROW, height, x_label)


def _round_step(rough: float, *, whole: bool) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * (1 - 1e-9))
    return max(1.0, float(round(step))) if whole else step


def _frame(x: _Axis, y: _Axis, x_label: str, y_label: str) -> Markup:
    numbers = [_text(x.at(tick), HEIGHT - BOTTOM + 16, f"{tick:g}", "middle") for tick in x.ticks]
    return Markup("").join([_horizontal_grid(y), *numbers, _axis_names(x_label, y_label)])


def _horizontal_grid(y: _Axis) -> Markup:
    return Markup("").join(
        _line(LEFT, y.at(tick), WIDTH - RIGHT, y.at(tick), "grid")
        + _text(LEFT - 8, y.at(tick) + 4, f"{tick:g}", "end")
        for tick in y.ticks
    )


def _vertical_grid(x: _Axis, height: float) -> Markup:
    foot = height - BOTTOM
    return Markup("").join(
        _line(x.at(tick), TOP, x.at(tick), foot, "grid") + _text(x.at(tick), foot + 16, f"{tick:g}", "middle")
        for tick in x.ticks
    )


def _axis_names(x_label: str, y_label: str) -> Markup:
    middle = (TOP + HEIGHT - BOTTOM) / 2
    return _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, x_label, "middle", "name") + Markup(
        '<text class="name" text-anchor="middle" transform="translate(13 {:.1f}) rotate(-90)">{}</text>'
    ).format(middle, y_label)


def _line(x1: float, y1: float, x2: float, y2: float, css_class: str) -> Markup:
    return Markup('<line class="{}" x1="{:.2f}" y1="{:.2f}" x2="{:.2f}" y2="{:.2f}"/>').format(
        css_class, x1, y1, x2, y2
    )


def _dot(x: float, y: float, radius: float, css_class: str, title: str) -> Markup:
    return Markup(
        '<circle class="dot {}" cx="{:.2f}" cy="{:.2f}" r="{:.2f}"><title>{}</title></circle>'
    ).format(css_class, x, y, radius, title)


def _text(x: float, y: float, text: str, anchor: str, css_class: str = "") -> Markup:
    return Markup('<text class="{}" x="{:.2f}" y="{:.2f}" text-anchor="{}">{}</text>').format(
        css_class, x, y, anchor, text
    )


def _svg(parts: Sequence[Markup], width: float, height: float, description: str) -> Markup:
    return Markup('<svg viewBox="0 0 {:g} {:g}" role="img" aria-label="{}">{}</svg>').format(
        width, height, escape(description), Markup("").join(parts)
    )
