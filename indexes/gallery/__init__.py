"""Galleries: geotagged references, their vectors on disk, and the search over them."""
