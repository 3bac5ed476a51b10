"""The papers' ablations: what each step of retrieval is worth, on labelled photos and on invented towns."""
