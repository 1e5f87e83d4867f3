"""Recommenders: baselines and neural models behind one `Recommender` contract."""
