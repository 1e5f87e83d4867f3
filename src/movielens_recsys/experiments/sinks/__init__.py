"""Copies of runs for other tools: each sink is fed from `events.jsonl`, in a process of its own."""
