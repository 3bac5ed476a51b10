"""Our pages make Streamlit ask nobody which address this machine has, whoever calls them, and however they are started.

Python tells a hook of every connection and every look-up, whoever makes it: here it refuses them, and writes them down.
"""

import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("streamlit")

ROOT = Path(__file__).parents[3]
FOREIGN = "http://evil.example"
_WAIT_S = 180  # of a busy machine
_WATCHED = """
import sys
tried = []
def watched(event, given):
    if event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.connect", "socket.sendto"):
        address = given[0] if event.startswith("socket.get") else given[1]
        host = address if isinstance(address, str) else address[0]
        if host not in ("localhost", "127.0.0.1"):
            tried.append(host)
            print("TRIED", host, file=sys.stderr, flush=True)
            raise OSError("no network in this test")
sys.addaudithook(watched)
"""
_STARTED = """
import json, logging
from importlib import import_module
from streamlit import config
from streamlit.web import bootstrap
from streamlit.web.server.server_util import is_url_from_allowed_origins
from streamlit.web.server.starlette.starlette_websocket import is_host_allowed
script, app, sys.argv = sys.argv[1], sys.argv[2], ["script.py"]
config._main_script_path = script  # as `streamlit run` does, and so its settings are read
bootstrap.load_config_options({})
from streamlit.testing.v1 import AppTest

def failing():
    error = ValueError("witness-house.jpg says FARMACIA")
    logging.getLogger("geosleuth.ui.page.runs").error("a run failed", exc_info=error)
    raise error

import_module(app).show_page = failing
told = {"hosts": [is_host_allowed("127.0.0.1:8501"), is_host_allowed("evil.example")]}
told["before"] = [is_url_from_allowed_origins("http://evil.example"), list(tried)]
tried.clear()
page = AppTest.from_file(script, default_timeout=120)
page.run()
page.run()
told["after"] = [is_url_from_allowed_origins(one) for one in ("http://evil.example", "http://127.0.0.1:8501")]
config.set_option("server.address", "0.0.0.0")
config.set_option("logger.hideWelcomeMessage", False)
bootstrap._print_url(False)
print(json.dumps({**told, "tried": tried}))
"""


@pytest.mark.parametrize(
    ("script", "app"),
    [("chat.py", "page.app"), ("review.py", "page.review.app"), ("human.py", "page.human.app")],
)
def test_a_page_that_streamlit_runs_by_itself_is_as_private_as_a_command_of_ours(
    tmp_path: Path, script: str, app: str
) -> None:
    """Started in a folder that has no settings of Streamlit; before its first visitor nothing of ours has run."""
    command = [sys.executable, "-c", _WATCHED + _STARTED, str(ROOT / "ui" / script), f"geosleuth.ui.{app}"]
    environment = _environment() | {"HOME": str(tmp_path)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["hosts"] == [True, False]
    assert told["before"] == [False, ["8.8.8.8", *["checkip.amazonaws.com"] * 2]]  # so it would be seen
    assert told["after"] == [False, True]
    assert told["tried"] == []
    said = done.stdout + done.stderr
    assert done.stderr.count("a run failed\n") == 2  # once a run: the log was begun once
    assert done.stderr.count("Uncaught app execution") == 2
    assert done.stderr.count("ValueError (--verbose has its words)") == 4
    assert not [word for word in ("witness-house", "FARMACIA") if word in said]


def test_streamlit_still_has_what_is_replaced() -> None:
    """Where this fails, look what Streamlit asks in its place; the page itself is served without it."""
    from streamlit import net_util

    from geosleuth.ui.page import own_address

    assert [name for name in own_address._ASKING if not hasattr(net_util, name)] == []


def test_a_streamlit_without_it_serves_the_page_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    import streamlit

    from geosleuth.ui.page.own_address import ask_nobody_for_our_address

    monkeypatch.setattr(streamlit, "net_util", object())  # without any of the functions
    ask_nobody_for_our_address()
    monkeypatch.delattr(streamlit, "net_util")
    monkeypatch.setitem(sys.modules, "streamlit.net_util", None)  # and without the module
    ask_nobody_for_our_address()


_SERVED = """
from pathlib import Path
from geosleuth.ui.chat_command import serve, streamlit_options
script, host, port = sys.argv[1:]
serve(Path(script), streamlit_options(host, int(port)) | {"server.address": "127.0.0.1"}, [])
"""


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])  # noqa: S104 - its options; it is bound to this machine
def test_a_foreign_page_is_refused_by_what_a_command_serves_and_nobody_is_asked(tmp_path: Path, host: str) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-c", _WATCHED + _SERVED, str(ROOT / "ui" / "human.py"), host, str(port)]
    environment = _environment() | {"HOME": str(tmp_path)}
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=log, stderr=log)
    try:
        _wait_for(port, process)
        assert _asked(port, FOREIGN) == 403
        assert _asked(port, f"http://127.0.0.1:{port}") == 101
        # By any name where others may reach it, whatever ui/.streamlit says: there a login is asked for.
        assert _asked(port, None, host="evil.example") == (403 if host == "127.0.0.1" else 101)
    finally:
        process.kill()
        process.wait(_WAIT_S)
    said = (tmp_path / "log").read_text(errors="replace")
    assert FOREIGN in said  # its refusal
    assert "TRIED" not in said


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _WAIT_S
    while process.poll() is None and time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.1)
    pytest.fail(f"nothing is served (exit code {process.poll()})")


def _environment() -> dict[str, str]:
    """Without settings of ours and of Streamlit, and without proxies: through one, other addresses would be asked."""
    ours = ("GEOSLEUTH_", "STREAMLIT_")
    return {
        name: value
        for name, value in os.environ.items()
        if not (name.startswith(ours) or name.lower().endswith("_proxy"))
    }


def _asked(port: int, origin: str | None, host: str | None = None) -> int:
    """Ask for the page's WebSocket, and return the status of the answer: 101 where it is opened."""
    headers = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    headers["Sec-WebSocket-Key"] = "MDAwMDAwMDAwMDAwMDAwMA=="
    headers |= {"Origin": origin} if origin else {}
    headers |= {"Host": host} if host else {}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_WAIT_S)
    try:
        connection.request("GET", "/_stcore/stream", headers=headers)
        return connection.getresponse().status
    finally:
        connection.close()
