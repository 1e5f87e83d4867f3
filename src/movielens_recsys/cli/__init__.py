"""The command `recsys`: the only place where the parts are wired together."""
