"""Judge the agent on labelled photos, and fit the constants of its belief."""
