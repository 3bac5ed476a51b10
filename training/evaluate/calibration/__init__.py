"""Fitting the constants that weigh evidence, and telling when they no longer hold."""
