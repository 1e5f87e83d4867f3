"""Telling people how a run goes: messages made from its event log, kept until they are delivered."""
