"""The chat as a person walks through it: photos, runs, words, cases."""
