"""How a town is made: its look, its plan, what stands in it."""
