"""`geosleuth curate ...`, a command a file: raw material to what adapters are taught with."""
