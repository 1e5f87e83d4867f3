"""Models that rank the catalogue for a history of positives; a fallback predicts ratings."""
