"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

SettingsFile = Annotated[str | None, typer.Option("--settings", metavar="FILE", help="A geosleuth.toml.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Say on stderr what is being done.")]
PriorSpec = Annotated[
    str | None,
    typer.Option("--prior", metavar="SPEC", help="Who guesses first: file:PATH[#MODEL], geoclip, hf:ORG/NAME."),
]
IndexPlace = Annotated[
    str | None,
    typer.Option("--index", metavar="INDEX", help="References to search: a folder, or milvus:COLLECTION@URI."),
]
Hints = Annotated[
    list[str] | None,
    typer.Option("--hint", metavar="TEXT", help="What you know: 'in Portugal', 'not Lisbon'. Repeatable."),
]
