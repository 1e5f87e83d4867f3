"""Sparklines: curves in text, drawn with block characters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

_EIGHTHS = " ▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float], width: int, height: int) -> list[str]:
    """Draw values from left to right as ``height`` lines of at most ``width`` characters.

    The lowest value is one eighth of a line high. The highest value after the first tenth fills all lines;
    higher ones are cut off, because the first epochs would flatten the rest. If there are more values than
    characters, each character shows the mean of several; a value that is not finite leaves a gap.

    >>> sparkline([1.0, 0.8, 0.6, 0.5], 4, 1)
    ['█▅▂▁']
    """
    points = _downsample(values, width)
    finite = [value for value in points if math.isfinite(value)]
    if not finite:
        return [""] * height
    low, high = min(finite), max(finite[len(finite) // 10 :])
    levels = [_level(value, low, high, 8 * height) for value in points]
    return [
        "".join(_EIGHTHS[min(max(level - 8 * line, 0), 8)] for level in levels)
        for line in reversed(range(height))
    ]


def _level(value: float, low: float, high: float, full: int) -> int:
    if not math.isfinite(value):
        return 0
    fraction = (value - low) / (high - low) if high > low else 0.0
    return 1 + round(min(fraction, 1.0) * (full - 1))


def _downsample(values: Sequence[float], width: int) -> list[float]:
    if len(values) <= width:
        return list(values)
    edges = [round(position * len(values) / width) for position in range(width + 1)]
    return [math.fsum(values[a:b]) / (b - a) for a, b in pairwise(edges)]
