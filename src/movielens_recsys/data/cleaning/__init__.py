"""Rating rows as they stand in files made into rows that can be used, and an account of what was left out."""
