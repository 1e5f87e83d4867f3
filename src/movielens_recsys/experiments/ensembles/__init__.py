"""Ensembles of experiments: planned, their members run, blended, judged and kept."""
