"""Which way up a photo is."""
