"""The claims of GeoReasoner's and GLEAM-X's papers, tried on invented towns with a model trained from nothing."""
