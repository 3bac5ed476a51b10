"""The page on which people judge explanations and reasons: one reviewer, one item at a time."""
