"""The small answers of tests/ui/answers.py, and pages of one view."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

HOSTILE = (
    "![x](http://evil/)",
    ":red[x]",
    "$$x^2$$",
    "<img src=http://evil/>",
    "[a](javascript:alert(1))",
    "http://evil/ www.evil.example a@evil.example",
    ":material/home: :smile:",
    "# h",
    "`c` **b** _i_ ~~s~~ | t |",
    ':color[x]{background="url(http://evil/)"}',
    "&lt;b&gt;",
    "back\\slash",
)


@pytest.fixture(params=HOSTILE)
def hostile(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def answers() -> ModuleType:
    spec = importlib.util.spec_from_file_location("answers", Path(__file__).parents[1] / "answers.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules.setdefault("answers", importlib.util.module_from_spec(spec))
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def page() -> Callable[..., Any]:
    """Run a function as a page of Streamlit's; what it puts into `st.session_state` can be read from the result."""
    testing = pytest.importorskip("streamlit.testing.v1")

    def run(script: Callable[..., None], *args: Any) -> Any:
        shown = testing.AppTest.from_function(script, args=args, default_timeout=30).run()
        assert not shown.exception, shown.exception
        return shown

    return run
