"""What a set of ratings looks like, and what about it should worry its user."""
