"""Recommendations, similar items and predictions of a fitted model, with titles; no HTTP, no training."""
