"""Retrieval across views, measured as each data set's authors measure it."""
