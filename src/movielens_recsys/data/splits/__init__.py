"""Train, validation and test rows of one `Ratings`."""
