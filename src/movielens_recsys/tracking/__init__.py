"""Copies of runs in MLflow and W&B: each tracker is fed from the event log, in a process of its own."""
