"""Photos of known place as published test sets lie on disk, one file per set; `by_name.open_labelled` opens any."""
