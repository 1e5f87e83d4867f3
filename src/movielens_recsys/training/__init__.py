"""Training: fits models, reports progress to callbacks, and imports no experiment or tracker."""
