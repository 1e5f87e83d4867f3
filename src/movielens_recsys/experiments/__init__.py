"""Experiments: configuration, registry, execution, tracking."""
