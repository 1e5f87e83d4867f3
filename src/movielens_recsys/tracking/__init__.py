"""Experiment trackers (MLflow, W&B): runs are synced to them from the event log, in separate processes."""
