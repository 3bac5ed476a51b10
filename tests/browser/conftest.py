"""The chat in headless Chromium: one server for all tests, pages that may reach it alone, and photos to hand in."""

import hashlib
import importlib.util
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

STREETS = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "streetscapes-cc" / "images"


def _neighbour(name: str):
    """Import a module of this folder: there are no test packages."""
    full = f"geosleuth_browser_{name}"
    if full not in sys.modules:
        spec = importlib.util.spec_from_file_location(full, Path(__file__).with_name(f"{name}.py"))
        module = importlib.util.module_from_spec(spec)
        sys.modules[full] = module
        spec.loader.exec_module(module)
    return sys.modules[full]


@pytest.fixture(scope="session")
def pages():
    """Return the module chat_page.py; skips where Playwright is missing."""
    pytest.importorskip("playwright.sync_api")
    return _neighbour("chat_page")


@pytest.fixture(scope="session")
def server_type():
    """Return the class of chat servers; skips where Streamlit is missing."""
    pytest.importorskip("streamlit")
    return _neighbour("chat_server").ChatServer


@pytest.fixture(scope="session")
def chromium(pages):
    """Return Debian's Chromium under Playwright; none is ever downloaded."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("needs the command chromium: apt-get install chromium")
    with pages.playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=pages.FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@pytest.fixture(scope="session")
def chat(chromium, server_type, tmp_path_factory):
    """Return a running chat without a gallery; it ends with the tests."""
    server = server_type(tmp_path_factory.mktemp("chat"))
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
def visits(chromium, pages):
    """Return what opens pages; whatever a test does in them, they ask no other host."""
    opened = pages.Visits(chromium)
    try:
        yield opened
        opened.check()
    finally:
        opened.close()


@dataclass(frozen=True)
class Street:
    """A photo to hand in, and what is known of it."""

    path: Path
    country: str  # that the answer names
    hint: str  # that changes the answer
    hinted: str  # the country that it changes to

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.path.read_bytes()).hexdigest()


@pytest.fixture(scope="session")
def scene(tmp_path_factory) -> Street:
    """Return the street that geosleuth draws."""
    from geosleuth.ui.demo_scene import draw_scene

    path = tmp_path_factory.mktemp("drawn") / "drawn-street.jpg"
    draw_scene().save(path, quality=92)
    return Street(path, "France", "50.85, 4.35", "Belgium")  # a country alone does not outweigh two towns


@pytest.fixture(scope="session")
def street(scene) -> Street:
    """Return a real photo, openly licensed; the drawn one where there is none."""
    real = STREETS / "41c85f14.jpg"  # a pedestrian street of Hameln, with German on its shops
    return Street(real, "Germany", "it is in Austria", "Austria") if real.is_file() else scene


@pytest.fixture(scope="session")
def answered(chat, chromium, pages, street) -> str:
    """Return the address of a case that is answered; tests look at it, and leave it as it is."""
    opened = pages.Visits(chromium)
    try:
        page = opened.open(chat.url)
        page.ask_about(street.path)
        page.wait_for_answer(street.country)
        page.settle()
        opened.check()
        return page.page.url
    finally:
        opened.close()
