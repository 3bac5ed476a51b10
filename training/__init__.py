"""How the weights and constants of the tools are made and judged."""
