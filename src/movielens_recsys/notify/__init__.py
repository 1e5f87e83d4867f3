"""Notifications: messages built from a run's event log, kept until they are delivered."""
