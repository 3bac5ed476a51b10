"""The whole agent on labelled photos: run once, scored in seconds, compared in pairs."""
