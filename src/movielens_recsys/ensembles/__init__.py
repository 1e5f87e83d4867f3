"""Ensembles of experiments: planned, their members run, blended, evaluated and kept."""
