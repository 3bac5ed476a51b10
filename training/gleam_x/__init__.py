"""GLEAM-X: pairs of pictures with verdicts and explanations, as lessons for the verifier (arXiv 2509.07450)."""
