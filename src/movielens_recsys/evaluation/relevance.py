"""Relevance in words: from which rating on an item is relevant, and how many of the held-out ones are."""

from __future__ import annotations

from movielens_recsys.schema import Finding, Severity

TELLING_SHARES = (0.01, 0.95)
"""Outside these, nearly nothing or nearly everything is relevant, and rankings are hardly told apart."""


def describe_relevance(threshold: float, share: float | None, *, implicit: bool = False) -> str:
    """Return the threshold and the share of held-out ratings that reach it; None: the share is unknown.

    >>> describe_relevance(4.0, 0.5517)
    'relevant: 4 or more (55.2 % of the held-out ratings)'
    >>> describe_relevance(1.0, 1.0, implicit=True)
    'relevant: every held-out interaction'
    """
    if implicit:
        return "relevant: every held-out interaction"
    of_held_out = "" if share is None else f" ({100 * share:.1f} % of the held-out ratings)"
    return f"relevant: {threshold:g} or more{of_held_out}"


def relevance_finding(threshold: float, share: float, *, implicit: bool = False) -> Finding | None:
    """Return a warning where nearly all or nearly none of the held-out ratings reach the threshold."""
    low, high = TELLING_SHARES
    if implicit or low <= share <= high:
        return None
    advice = (
        f"{describe_relevance(threshold, share)}: ranking metrics say little about what users like; "
        "set evaluation.relevance_threshold"
    )
    limit = high if share > high else low
    return Finding("relevant_share", share, limit, Severity.WARNING, advice)
