"""Ensembles of experiments: planning them, running their members, blending, evaluating and saving them."""
