"""GLEAM-C: one encoder for all views, trained by contrast in two phases (arXiv 2509.07450, section 3)."""
