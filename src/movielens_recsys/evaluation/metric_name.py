"""`MetricName`: what a metric is called, in every form that files, commands and tables use.

| form | example | where |
| --- | --- | --- |
| report | `ndcg@10` and the protocol `full` | `Report`, per-user metrics, the benchmark |
| event | `ndcg_at_10_full` | ``evaluated`` events, targets |
| run | `val_ndcg_at_10_full` | `Run`, ``--json``, conditions of a search, trackers, messages |

The event form is the run form without a part. Metrics of an epoch (`train_loss`, `val_kl`) are run forms too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from movielens_recsys.evaluation.metric_definitions import (
    HELD_OUT,
    PROTOCOLS,
    Direction,
    Metric,
    metric_definition,
)

MetricPart = Literal["", "train", "validation", "test"]
"""The rows that a metric was measured on; empty where the name leaves it open, as in reports and events."""

PART_PREFIXES: Mapping[MetricPart, str] = {"": "", "train": "train_", "validation": "val_", "test": "test_"}

_PARTS: Mapping[str, MetricPart] = {prefix: part for part, prefix in PART_PREFIXES.items()}
_PART_ORDER: tuple[MetricPart, ...] = ("train", "validation", "test", "")
_PROTOCOL_ORDER = tuple(PROTOCOLS)
_NAME = re.compile(
    rf"(?P<prefix>(?:train|val|test)_)?(?P<metric>.*?)"
    rf"(?:_at_(?P<k>[1-9][0-9]*))?(?:_(?P<protocol>{'|'.join(p for p in PROTOCOLS if p != HELD_OUT)}))?",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class MetricName:
    """A metric with its cut-off, its protocol and the part of the split it was measured on.

    ``str`` gives the run form, or the event form where ``part`` is empty; `parse` reads both.

    >>> name = MetricName("ndcg", 10, "full", "validation")
    >>> str(name), name.with_cutoff, name.label, name.better
    ('val_ndcg_at_10_full', 'ndcg@10', 'NDCG@10', 'higher')

    Attributes
    ----------
    metric
        The bare name, a key of `RATING_METRICS`, `RANKING_METRICS` or `TRAINING_METRICS`. Other names are
        carried as they are, so that a file of a later version can be listed; they have no definition.
    k
        Cut-off of a ranking metric, at least 1; None for all others.
    protocol
        A key of `PROTOCOLS`.
    part
        ``train``, ``validation``, ``test`` or empty.
    """

    metric: str
    k: int | None = None
    protocol: str = HELD_OUT
    part: MetricPart = ""

    @classmethod
    def parse(cls, text: str) -> MetricName:
        """Read a run form or an event form, also one with ``@`` for ``_at_``.

        >>> MetricName.parse("test_precision@10_rated")
        MetricName(metric='precision', k=10, protocol='rated', part='test')
        >>> str(MetricName.parse("val_loss"))
        'val_loss'
        """
        return _parse(text)

    @classmethod
    def of_report(cls, metric: str, protocol: str = HELD_OUT) -> MetricName:
        """Read a report's form: the metric with its cut-off, and the protocol.

        >>> str(MetricName.of_report("ndcg@10", "full"))
        'ndcg_at_10_full'
        """
        return replace(_parse(metric), protocol=protocol)

    def __str__(self) -> str:
        cutoff = "" if self.k is None else f"_at_{self.k}"
        protocol = "" if self.protocol == HELD_OUT else f"_{self.protocol}"
        return f"{PART_PREFIXES[self.part]}{self.metric}{cutoff}{protocol}"

    @property
    def with_cutoff(self) -> str:
        """The metric as a report names it: `ndcg@10`, `rmse`."""
        return self.metric if self.k is None else f"{self.metric}@{self.k}"

    def on(self, part: MetricPart) -> MetricName:
        """Return the same metric measured on another part, or on none with ``""``."""
        return replace(self, part=part)

    @property
    def definition(self) -> Metric:
        """Label, direction and formula.

        Raises
        ------
        UnknownNameError
            If there is no such metric.
        """
        return metric_definition(self.metric)

    @property
    def label(self) -> str:
        """The name for tables and charts: `NDCG@10`."""
        return self.definition.label if self.k is None else f"{self.definition.label}@{self.k}"

    @property
    def better(self) -> Direction:
        """The direction in which the metric improves: ``lower``, ``higher`` or ``neither``."""
        return self.definition.better

    @property
    def higher_is_better(self) -> bool:
        """Whether larger values are better; False also for a metric without a direction."""
        return self.better == "higher"

    @property
    def sort_key(self) -> tuple[int, int, str]:
        """Order for tables: training, validation, test; then rating metrics before rankings; then by name."""
        protocol = _PROTOCOL_ORDER.index(self.protocol)
        return _PART_ORDER.index(self.part), protocol, str(self.on(""))


def run_metric_name(part: MetricPart, event_name: str) -> str:
    """Return the run form of an event's metric without parsing it, for the replay of long logs.

    >>> run_metric_name("validation", "ndcg_at_10_full")
    'val_ndcg_at_10_full'
    """
    return f"{PART_PREFIXES[part]}{event_name}"


@lru_cache(maxsize=4096)
def _parse(text: str) -> MetricName:
    match = _NAME.fullmatch(text.replace("@", "_at_"))
    assert match is not None  # every part of the pattern may be empty
    return MetricName(
        metric=match["metric"],
        k=int(match["k"]) if match["k"] else None,
        protocol=match["protocol"] or HELD_OUT,
        part=_PARTS[match["prefix"] or ""],
    )
