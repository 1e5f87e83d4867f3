"""The finding that depends on today: times in the future, counted whenever ratings are loaded."""

from __future__ import annotations

import time
from dataclasses import replace

from movielens_recsys.data.cleaning.repairs import DAY_S
from movielens_recsys.data.counted import counted
from movielens_recsys.data.ratings import Ratings
from movielens_recsys.schema import Finding, Severity

NAME = "timestamps_in_future"


def recount_future_times(ratings: Ratings, now: int | None = None) -> Ratings:
    """Return the ratings with a finding on times in the future as of ``now``, in seconds since 1970.

    Findings are kept in the cache with the ratings, where this one would stay true for ever.
    """
    latest = (int(time.time()) if now is None else now) + DAY_S
    count = 0 if ratings.timestamps is None else int((ratings.timestamps > latest).sum())
    findings = [finding for finding in ratings.findings if finding.name != NAME]
    if count:
        times = counted(count, "time is", "times are")
        advice = f"{times} in the future; check the unit and the clock that wrote them"
        findings.append(Finding(NAME, float(count), 0.0, Severity.WARNING, advice))
    if tuple(findings) == ratings.findings:
        return ratings
    recounted = replace(ratings, findings=tuple(findings))
    if "content_hash" in ratings.__dict__:  # hashing the rows takes as long as reading them
        recounted.__dict__["content_hash"] = ratings.content_hash
    return recounted
