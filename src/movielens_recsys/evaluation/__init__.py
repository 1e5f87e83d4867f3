"""Figures with protocol and interval, for anything that keeps the `Recommender` contract."""
