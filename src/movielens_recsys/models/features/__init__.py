"""Features of ratings, users and items that several model families read."""
