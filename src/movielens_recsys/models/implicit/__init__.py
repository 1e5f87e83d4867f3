"""Models that order the catalogue for a history; their stars are a documented fallback."""
