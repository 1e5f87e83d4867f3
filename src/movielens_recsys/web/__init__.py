"""One look for reports, pages and dashboard: charts and style."""
