"""One question each about one photo; every answer is a likelihood over places."""
