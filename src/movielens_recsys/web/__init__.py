"""One look for reports and pages: base template, style sheet, charts and rendering."""
