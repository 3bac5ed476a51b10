"""`geosleuth curate review`: the page on which people judge explanations and reasons, on this machine alone."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from geosleuth.indexes.errors import InputError
from geosleuth.ui.chat_command import check_port, serve, streamlit_options
from geosleuth.ui.options import Verbose
from geosleuth.ui.shell import exits, logs_to_stderr

HOST, PORT = "127.0.0.1", 8502  # the chat has 8501
SCRIPT = Path(__file__).resolve().parents[1] / "review.py"


def review(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A review, as `curate queue` makes it.")],
    reviewer: Annotated[str, typer.Option("--reviewer", metavar="NAME", help="Who decides: letters, digits, _, -.")],
    port: Annotated[int, typer.Option(metavar="PORT", min=1, max=65535, help="Where the page is served.")] = PORT,
    root: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Where the pictures are, if no longer where they were.")
    ] = None,
    verbose: Verbose = False,
) -> None:
    """Open the review page in a browser: accept, edit or reject explanations, rate reasons; go on at any time.

    Two people review one folder each under their own name, at once if they like: on two ports, or two machines that
    share the folder. Neither sees the other's decision of an item before both have decided it.
    """
    with exits(interrupted="The review has ended; every decision is kept."), logs_to_stderr(verbose):
        check_streamlit()
        from geosleuth.ui.page.review.desk import open_desk

        folder, root = folder.expanduser().absolute(), root and root.expanduser().absolute()
        desk = open_desk(folder, reviewer, root)  # what is wrong ends it here, and not on the page
        _check_port(port)
        left = len(desk.asked)
        typer.echo(f"{left} of {len(desk.review.items)} items are left for {reviewer}.", err=True)
        typer.echo(f"The review is at http://{HOST}:{port} (end it with Ctrl-C).", err=True)
        serve(SCRIPT, streamlit_options(HOST, port), script_arguments(folder, reviewer, root))


def check_streamlit() -> None:
    """Say what is missing before anything is started.

    Raises:
        InputError: Streamlit is not installed.
    """
    if find_spec("streamlit") is None:
        remedy = "Install it with `pip install 'geosleuth[chat]'`."
        raise InputError("the review page's library", "no streamlit", remedy)


def script_arguments(folder: Path, reviewer: str, root: Path | None) -> list[str]:
    """Return what the page is told behind "--"; see ui/page/review/app.py."""
    given = ["--folder", str(folder), "--reviewer", reviewer]
    return given if root is None else [*given, "--root", str(root)]


def _check_port(port: int) -> None:
    try:
        check_port(HOST, port)
    except InputError as error:
        remedy = f"End what runs there, or choose another: --port {port % 65535 + 1}."
        raise InputError(f"port {port} of {HOST} for the review", error.found, remedy) from error
