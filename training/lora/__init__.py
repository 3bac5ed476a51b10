"""Teach a vision-language model with LoRA adapters, stage after stage: one engine for GeoReasoner and GLEAM-X."""
