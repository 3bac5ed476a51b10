"""Make the classifier that tells the script of a line of text."""
