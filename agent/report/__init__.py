"""The report of an answer, as HTML and PDF."""
