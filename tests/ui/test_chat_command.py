"""`geosleuth chat`: what it checks before it serves, and with which options."""

import socket
import sys
import tomllib
from pathlib import Path

import pytest
from typer import Typer
from typer.testing import CliRunner

from geosleuth.indexes.errors import InputError
from geosleuth.ui import chat_command
from geosleuth.ui.chat_command import chat, check_port, check_streamlit, script_arguments, streamlit_options


def run(*arguments: str):
    app = Typer()
    app.command()(chat)
    return CliRunner().invoke(app, list(arguments))


def test_a_taken_port_is_told_in_words():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=f"port {port} of 127.0.0.1 for the chat; found a port that is taken"):
            check_port("127.0.0.1", port)
    check_port("127.0.0.1", port)  # left a moment ago: free again


def test_an_address_of_another_machine_is_told_in_words():
    with pytest.raises(InputError, match=r"an address of this machine, not 192\.0\.2\.1:8501"):  # RFC 5737: nobody's
        check_port("192.0.2.1", 8501)


def test_nothing_is_sent_watched_or_linked_to_the_outside():
    options = streamlit_options("127.0.0.1", 9000)
    assert options["server.address"] == "127.0.0.1"
    assert options["server.port"] == "9000"
    assert options["browser.gatherUsageStats"] == "false"
    assert options["server.headless"] == "true"
    assert options["server.fileWatcherType"] == "none"
    assert options["client.showErrorLinks"] == "false"
    assert options["client.showErrorDetails"] == "none"


def test_other_names_may_open_the_chat_only_where_it_is_bound_to_others():
    assert streamlit_options("127.0.0.1", 1)["server.allowedHosts"] == ["localhost", "127.0.0.1", "::1"]
    assert streamlit_options("0.0.0.0", 1)["server.allowedHosts"] == ["*"]  # noqa: S104 - else ui/.streamlit holds


@pytest.mark.parametrize("written", ["", "nonsense", "server = 3", "[server]\nallowedHosts = []"])
def test_names_that_a_person_set_stay_in_force_at_a_server_for_several(
    tmp_path, monkeypatch: pytest.MonkeyPatch, written: str
):
    monkeypatch.delenv("STREAMLIT_SERVER_ALLOWED_HOSTS", raising=False)
    home, here = tmp_path / "home", tmp_path / "here"
    for folder in (home, here):
        (folder / ".streamlit").mkdir(parents=True)
    monkeypatch.setattr(Path, "home", lambda: home)
    monkeypatch.chdir(here)
    (home / ".streamlit" / "config.toml").write_text(written)
    assert streamlit_options("0.0.0.0", 1)["server.allowedHosts"] == ["*"]  # noqa: S104
    (home / ".streamlit" / "config.toml").write_text('[server]\nallowedHosts = ["home.example"]')
    assert streamlit_options("0.0.0.0", 1)["server.allowedHosts"] == ["home.example"]  # noqa: S104
    (here / ".streamlit" / "config.toml").write_text('[server]\nallowedHosts = ["chat.example", "b.example"]')
    assert streamlit_options("0.0.0.0", 1)["server.allowedHosts"] == ["chat.example", "b.example"]  # noqa: S104
    monkeypatch.setenv("STREAMLIT_SERVER_ALLOWED_HOSTS", "env.example")
    assert "server.allowedHosts" not in streamlit_options("0.0.0.0", 1)  # noqa: S104 - Streamlit reads it
    assert streamlit_options("127.0.0.1", 1)["server.allowedHosts"] == ["localhost", "127.0.0.1", "::1"]


def test_without_a_home_or_a_folder_to_be_in_nothing_was_set(tmp_path, monkeypatch: pytest.MonkeyPatch):
    def no_home():
        raise RuntimeError("Could not determine home directory.")

    def no_folder():
        raise FileNotFoundError

    monkeypatch.delenv("STREAMLIT_SERVER_ALLOWED_HOSTS", raising=False)
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit" / "config.toml").write_text('[server]\nallowedHosts = ["set.example"]')
    monkeypatch.setattr(Path, "home", no_home)
    monkeypatch.chdir(tmp_path)
    assert streamlit_options("0.0.0.0", 1)["server.allowedHosts"] == ["set.example"]  # noqa: S104
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    monkeypatch.setattr(Path, "cwd", no_folder)
    assert streamlit_options("0.0.0.0", 1)["server.allowedHosts"] == ["set.example"]  # noqa: S104


def test_streamlit_knows_every_option():
    pytest.importorskip("streamlit")
    from streamlit import config

    known = config.get_config_options()
    for host in ("127.0.0.1", "0.0.0.0"):  # noqa: S104
        assert [name for name in streamlit_options(host, 1) if name not in known] == []


def test_a_missing_library_is_named_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(chat_command, "LIBRARIES", ("streamlit_that_is_not_there", "no_parent.at_all", "json"))
    with pytest.raises(InputError) as told:
        check_streamlit()
    assert told.value.found == "no streamlit_that_is_not_there and no no_parent.at_all"
    assert "pip install 'geosleuth[chat]'" in told.value.remedy


def test_the_page_is_told_the_settings_and_the_cases_folder():
    assert script_arguments(None, None) == []
    assert script_arguments("/a/geosleuth.toml", "/b") == ["--settings", "/a/geosleuth.toml", "--cases", "/b"]


def test_the_page_reads_what_the_command_tells_it():
    from geosleuth.ui.page.app import script_arguments as read

    assert read(script_arguments("/a/geosleuth.toml", "/b")) == ("/a/geosleuth.toml", "/b")
    assert read([]) == (None, None)
    with pytest.raises(InputError, match="the chat's arguments"):
        read(["--settings"])


def test_wrong_settings_end_the_command_before_anything_is_served(tmp_path, monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("streamlit")
    served = []
    monkeypatch.setattr(chat_command, "serve", lambda *given: served.append(given))
    result = run("--settings", str(tmp_path / "none.toml"))
    assert result.exit_code == 2
    assert "Wanted: a settings file" in result.stderr
    assert served == []


def test_the_command_serves_with_the_same_folder_that_it_made_the_server_of(tmp_path, monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("streamlit")
    from geosleuth.ui.page.server import Server, the_server

    served = []
    monkeypatch.setattr(chat_command, "serve", lambda *given: served.append(given))
    monkeypatch.setattr(Server, "begin_warm_up", lambda _: None)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    result = run("--port", str(port), "--cases", str(tmp_path))
    assert result.exit_code == 0, result.stderr
    ((script, options, arguments),) = served
    assert script == chat_command.SCRIPT
    assert options["server.port"] == str(port)
    assert f"http://127.0.0.1:{port}" in result.stderr
    assert arguments == ["--cases", str(tmp_path)]
    assert the_server(None, str(tmp_path)).settings.cases_dir == tmp_path


def test_importing_the_command_loads_neither_streamlit_nor_the_agent():
    import subprocess

    code = "import sys, geosleuth.ui.chat_command; print([m for m in ('streamlit', 'langgraph') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_the_chat_looks_the_same_however_it_is_started():
    root = Path(__file__).resolve().parents[2]
    by_streamlit = tomllib.loads((root / ".streamlit" / "config.toml").read_text())
    assert tomllib.loads(chat_command.THEME.read_text()) == {"theme": by_streamlit["theme"]}
    options = streamlit_options(by_streamlit["server"]["address"], 1)
    assert options["theme.base"] == str(chat_command.THEME)
    assert options["client.showErrorDetails"] == by_streamlit["client"]["showErrorDetails"]
    assert options["server.maxUploadSize"] == str(by_streamlit["server"]["maxUploadSize"])


def test_streamlit_run_from_any_folder_is_as_private_as_the_command():
    script_level = tomllib.loads((chat_command.SCRIPT.parent / ".streamlit" / "config.toml").read_text())
    options = streamlit_options("127.0.0.1", 1)
    stated = {f"{section}.{key}": value for section, keys in script_level.items() for key, value in keys.items()}
    assert stated["browser.gatherUsageStats"] is False
    assert stated["server.address"] == "127.0.0.1"
    assert stated["server.allowedHosts"] == ["localhost", "127.0.0.1", "::1"]
    assert stated["logger.enableRich"] is False
    assert {key: _as_option(value) for key, value in stated.items()} == {key: options[key] for key in stated}


def _as_option(value: object) -> object:
    return value if isinstance(value, list) else str(value).lower() if isinstance(value, bool) else value
