"""Experiments: templates, execution, recovery, supervision."""
