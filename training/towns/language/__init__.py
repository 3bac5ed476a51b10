"""What can be said of a view of an invented town, decided from what it shows, and found again in a text. Synthetic."""
