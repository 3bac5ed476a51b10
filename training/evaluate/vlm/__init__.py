"""What a fine-tuned vision-language model is worth: as GeoReasoner's prior and as GLEAM-X's verifier."""
