"""A message as lines of a terminal."""

from __future__ import annotations

from tests.notify.conftest import Log

from movielens_recsys.notify.outbox import undelivered
from movielens_recsys.notify.text import as_text


def test_messages_as_text(log: Log) -> None:
    log.start()
    log.write("failed", reason="bad data", run_seconds=1.0)
    assert as_text(undelivered(log.folder)[1]).splitlines() == [
        "demo_20261123_120000: Failed",
        "  bad data",
        "  duration  0:00:01",
        "  cost      $0 (own machine)",
        "  device    cpu, 2 CPUs, x86_64",
        "  next: recsys experiment clone demo_20261123_120000 NEW_NAME",
    ]
