"""The training loop: it emits records and knows nothing of experiments, trackers or notifications."""
