"""How people use geosleuth: the command line (later the chat)."""
