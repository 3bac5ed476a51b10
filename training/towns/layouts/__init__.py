"""The forms of the real data sets, for what is drawn."""
