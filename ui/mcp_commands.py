"""`geosleuth mcp`: offer geosleuth's tools to another assistant on this machine, over stdin and stdout."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Annotated

import typer

from geosleuth.ui.options import IndexPlace, SettingsFile, Verbose
from geosleuth.ui.shell import exits, logs_to_stderr, stdout_kept_for_the_answer


def serve(
    photos: Annotated[
        list[Path] | None,
        typer.Option(metavar="FOLDER", help="Photos may be read in here; repeatable. Default: the current folder."),
    ] = None,
    settings: SettingsFile = None,
    index: IndexPlace = None,
    verbose: Verbose = False,
) -> None:
    """Serve the tools to an assistant that starts this command and speaks the Model Context Protocol."""
    with exits(), logs_to_stderr(verbose):
        with stdout_kept_for_the_answer():  # stdout is the protocol's; while it runs, the SDK guards it itself
            from geosleuth.agent.settings import load_settings

            resolved = load_settings(settings, arguments={"index": index})
            from geosleuth.agent.agent import Agent
            from geosleuth.indexes.decoding_apart import AT_ONCE, decoding_apart
            from geosleuth.ui.mcp_desk import Desk
            from geosleuth.ui.mcp_server import make_server, serve_over_stdio

            server = make_server(Desk(Agent(resolved), photos or [Path.cwd()]))
        # The SDK's reader of stdin cannot be interrupted, and nothing is open that must be closed: Ctrl-C ends at once.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        with decoding_apart(AT_ONCE) as decoders:  # they end with their stdin, however this process does
            decoders.warm_up()
            serve_over_stdio(server)
