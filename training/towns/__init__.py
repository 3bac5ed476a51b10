"""Towns: an invented world, drawn from a seed, whose every place is seen from the air, from a drone and from the street."""
