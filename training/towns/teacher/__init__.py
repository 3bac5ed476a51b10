"""A small rule-based teacher behind a real HTTP server: it explains pairs of invented towns, and errs when told to."""
