"""The page on which people place the agent's photos."""
