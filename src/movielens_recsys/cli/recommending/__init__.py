"""`recsys recommend`, `similar` and `predict`: what a fitted model answers."""
