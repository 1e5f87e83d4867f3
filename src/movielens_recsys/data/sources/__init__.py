"""Where data sets come from: downloads, archives, user files; and the Parquet cache."""
