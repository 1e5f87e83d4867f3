"""Cleaning of the rows of a rating file: checks, repairs, and counts of the rows left out."""
