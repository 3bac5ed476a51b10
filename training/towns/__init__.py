"""Towns: an invented world, drawn from a seed; every place is seen from above, from a drone and from the street."""
