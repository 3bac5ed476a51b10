"""What can be seen of a town: from above, from a drone, from the street, on a map."""
