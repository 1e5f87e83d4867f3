"""Odd rating files in families, each with what is right for it: see `benchmarks/odd_files.py`."""
