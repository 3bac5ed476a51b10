"""A model by itself against the agent that fuses the model's word with its tools."""
