"""`geosleuth chat`: the page for investigators, on this machine alone unless told otherwise."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import tomllib
from pathlib import Path
from typing import Annotated

import typer

from geosleuth.indexes.errors import InputError
from geosleuth.ui.options import SettingsFile, Verbose
from geosleuth.ui.shell import exits, logs_to_stderr

PORT = 8501  # Streamlit's own
MAX_UPLOAD_MB = 200  # a minute of a phone's video, or a photo of 200 MP; the same number is told beside the uploader
LIBRARIES = ("streamlit", "altair", "pydeck", "langgraph.checkpoint.sqlite")
SCRIPT = Path(__file__).with_name("chat.py")
THEME = Path(__file__).parent / "data" / "theme.toml"


def chat(
    port: Annotated[int, typer.Option(metavar="PORT", min=1, max=65535, help="Where the page is served.")] = PORT,
    settings: SettingsFile = None,
    cases: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Where cases are kept, instead of the settings' cases_dir.")
    ] = None,
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="What to bind to; others than this machine need a login.")
    ] = "127.0.0.1",
    verbose: Verbose = False,
) -> None:
    """Open the chat for investigators in a browser: photos in, the agent's steps, an answer, a case that is kept."""
    with exits(interrupted="The chat has ended; its cases are kept."), logs_to_stderr(verbose):
        check_streamlit()
        from geosleuth.ui.page.server import the_server

        named = _absolute(settings), _absolute(cases)  # the page has the same two words, and so the same server
        server = the_server(*named)  # wrong settings end it here
        check_port(host, port)
        server.begin_warm_up()
        shown = f"[{host}]" if ":" in host else host
        typer.echo(f"The chat is at http://{shown}:{port} (end it with Ctrl-C).", err=True)
        try:
            serve(SCRIPT, streamlit_options(host, port), script_arguments(*named))
        finally:
            server.runs.shut_down()


def check_streamlit() -> None:
    """Say what is missing before anything is started.

    Raises:
        InputError: A library of the chat is not installed.
    """
    missing = [name for name in LIBRARIES if _absent(name)]
    if missing:
        remedy = "Install it with `pip install 'geosleuth[chat]'`."
        raise InputError("the chat's libraries", f"no {' and no '.join(missing)}", remedy)


def _absent(module: str) -> bool:
    from importlib.util import find_spec

    try:
        return find_spec(module) is None
    except ModuleNotFoundError:  # of a parent package
        return True


def check_port(host: str, port: int) -> None:
    """Try the address, so that a taken port is told in words.

    Raises:
        InputError: The port is taken or not allowed, or the address is none of this machine's.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: a port just left is free
            probe.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            remedy = f"End what runs there, or choose another: `geosleuth chat --port {port % 65535 + 1}`."
            raise InputError(f"port {port} of {host} for the chat", "a port that is taken", remedy) from error
        found = f"one that cannot be used ({error.strerror or error})"
        raise InputError(f"an address of this machine, not {host}:{port}", found, "See --host and --port.") from error


def streamlit_options(host: str, port: int) -> dict[str, str | list[str]]:
    """Streamlit's options: nothing is watched, nothing is sent to anybody, and no error page links to the outside."""
    from geosleuth.ui.page.owner import is_loopback

    options: dict[str, str | list[str]] = {
        "server.address": host,
        "server.port": str(port),
        "server.headless": "true",  # no browser is opened, and no address is asked for
        "server.fileWatcherType": "none",
        "server.maxUploadSize": str(MAX_UPLOAD_MB),
        "browser.gatherUsageStats": "false",
        "client.toolbarMode": "minimal",
        "theme.base": str(THEME),
        "client.showErrorDetails": "none",  # the log has them; a page could show what strangers wrote
        "client.showErrorLinks": "false",
        "logger.enableRich": "false",  # it would write a fault's words past the log
        "logger.hideWelcomeMessage": "true",  # it would ask an outside host for this machine's address
    }
    if is_loopback(host):
        # A web page elsewhere can point its own name at 127.0.0.1: only these names may open the chat.
        options["server.allowedHosts"] = ["localhost", "127.0.0.1", "::1"]
    elif "STREAMLIT_SERVER_ALLOWED_HOSTS" not in os.environ:  # which Streamlit would not read beside an option
        options["server.allowedHosts"] = _hosts_that_were_set()
    return options


def _hosts_that_were_set() -> list[str]:
    """Return the names in the user's own settings of Streamlit, or any: ui/.streamlit, which is read last, has ours."""
    hosts: list[str] = ["*"]
    for folder in (Path.home, Path.cwd):  # Streamlit reads these two, and the second wins
        # RuntimeError: nobody knows a home. Where the file is no TOML, Streamlit says so.
        with contextlib.suppress(OSError, ValueError, RuntimeError):
            section = tomllib.loads((folder() / ".streamlit" / "config.toml").read_text("utf-8")).get("server")
            found = section.get("allowedHosts") if isinstance(section, dict) else None
            if isinstance(found, list):
                hosts = [str(host) for host in found] or ["*"]
    return hosts


def script_arguments(settings: str | None, cases: str | None) -> list[str]:
    """What the page is told behind "--"; see ui/chat.py."""
    given = {"--settings": settings, "--cases": cases}
    return [word for name, value in given.items() if value is not None for word in (name, value)]


def _absolute(path: str | Path | None) -> str | None:
    return None if path is None else str(Path(path).expanduser().absolute())


def serve(script: Path, options: dict[str, str | list[str]], arguments: list[str]) -> None:
    """Serve a page of ours until Ctrl-C: in this process, so that the chat has the agent that is warm already."""
    from streamlit.web import cli

    from geosleuth.ui.page.own_address import ask_nobody_for_our_address

    ask_nobody_for_our_address()
    flags = []
    for name, value in options.items():
        flags += [f"--{name}={one}" for one in ([value] if isinstance(value, str) else value)]
    cli.main(["run", str(script), *flags, "--", *arguments], standalone_mode=False)
