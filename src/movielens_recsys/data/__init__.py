"""From files to `Ratings`, from `Ratings` to a `Split`."""
