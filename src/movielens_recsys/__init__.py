"""From real movie ratings to a recommender in production, in one tool."""

__version__ = "0.1.0"
