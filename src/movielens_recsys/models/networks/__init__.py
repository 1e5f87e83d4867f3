"""Networks over (user, item) pairs, and the recommender around them."""
