"""Recommendations for a user from a fitted recommender; no HTTP."""
