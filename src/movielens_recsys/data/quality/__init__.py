"""Statistics of a rating table and checks of its quality."""
