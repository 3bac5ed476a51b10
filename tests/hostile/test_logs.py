"""Logs are kept, and sent to others: at the default level no line quotes an error, a photo's name or a sign.

Tests of single lines stand with their modules; those of a whole run in test_privacy.py.
"""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("indexes", "tools", "agent", "training", "ui")
SEEN = {"warning", "error", "critical"}  # at the default level
ALLOWED = {
    "indexes/decoder_process.py": "DecoderDied says how a process ended",
    "training/evaluate/against/__main__.py": "a command's last words, over the files that it was told to write",
}
NAME, SIGN = "witness-house", "FARMACIA"


def quoting(source: str) -> list[int]:
    """The lines that log an error itself, whose words may quote anything, or by `exception`, with all of them."""
    found = []
    for handler in ast.walk(ast.parse(source)):
        if not isinstance(handler, ast.ExceptHandler):
            continue
        for call in ast.walk(handler):
            if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)):
                continue
            if not (isinstance(call.func.value, ast.Name) and call.func.value.id == "logger"):
                continue
            words = [one.args[0] if _is_text_of(one) else one for one in call.args]
            names = {one.id for one in words if isinstance(one, ast.Name)}
            if call.func.attr == "exception" or (call.func.attr in SEEN and handler.name in names):
                found.append(call.lineno)
    return found


def _is_text_of(node: ast.expr) -> bool:
    """Whether it is str(x) or repr(x)."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"str", "repr"}


def test_no_line_at_the_default_level_quotes_an_error() -> None:
    sources = [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    found = {path.relative_to(ROOT).as_posix(): quoting(path.read_text("utf-8")) for path in sources}
    assert {path for path, lines in found.items() if lines} == set(ALLOWED)
    assert [len(found[path]) for path in ALLOWED] == [1, 1]


@pytest.mark.parametrize(
    ("call", "quotes"),
    [
        ('logger.warning("%s", error)', True),
        ('logger.error("%s", str(error))', True),
        ('logger.exception("it failed")', True),
        ('logger.warning("%s", type(error).__name__)', False),
        ('logger.debug("%s", error)', False),
    ],
)
def test_the_test_would_see_it(call: str, quotes: bool) -> None:
    source = f"try:\n    f()\nexcept OSError as error:\n    {call}\n"
    assert quoting(source) == ([4] if quotes else [])


_STARTED = """
import logging, sys
from streamlit import config
from streamlit.web import bootstrap
script, sys.argv = sys.argv[1], ["chat.py"]
config._main_script_path = script  # as `streamlit run` does, and so its settings are read
bootstrap.load_config_options({})
from streamlit.testing.v1 import AppTest
from geosleuth.ui.page import app

def failing():
    error = ValueError("witness-house.jpg says FARMACIA")
    logging.getLogger("geosleuth.ui.page.runs").error("a run failed", exc_info=error)
    raise error

app._owner = failing
page = AppTest.from_file(script, default_timeout=120)
page.run()
page.run()
"""


def test_streamlit_run_logs_no_words_of_a_fault(tmp_path: Path) -> None:
    """Started without our command, in a folder that has no settings of Streamlit."""
    pytest.importorskip("streamlit")
    command = [sys.executable, "-c", _STARTED, str(ROOT / "ui" / "chat.py")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    said = done.stdout + done.stderr
    assert done.stderr.count("a run failed\n") == 2  # once a run: the log was begun once
    assert done.stderr.count("Uncaught app execution") == 2
    assert done.stderr.count("ValueError (--verbose has its words)") == 4
    assert NAME not in said
    assert SIGN not in said
