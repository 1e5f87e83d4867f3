"""The Bayesian ordinal factor model: its design, its chain of draws, and the recommender made of them."""
