"""Metrics with protocol and interval, for everything that implements the `Recommender` contract."""
