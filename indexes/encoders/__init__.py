"""From an image to a unit vector: the encoders that a gallery and a query share."""
