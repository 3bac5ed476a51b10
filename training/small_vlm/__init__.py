"""A Qwen2.5-VL of a few million parameters, trained from nothing on invented towns: a base for trying adapters out."""
