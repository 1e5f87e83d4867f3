"""The record of experiments: configuration, event log, state, cost, search."""
