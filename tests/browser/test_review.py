"""The review's page in a browser: by keyboard alone, on a phone as well, through a server that is killed."""

import importlib.util
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from geosleuth.training.review.decisions_file import append, read_lines

ITEMS = Path(__file__).parents[1] / "training" / "review" / "review_items.py"
spec = importlib.util.spec_from_file_location("review_items", ITEMS)
made = sys.modules.setdefault("review_items", importlib.util.module_from_spec(spec))
spec.loader.exec_module(made)

START_S = 90  # of a loaded machine
COMMAND = "from typer import run; from geosleuth.ui.curate.review_command import review; run(review)"


@pytest.fixture
def served(server_type, tmp_path):
    """Return a review of three pairs, its address, and what kills its server and starts it again."""
    review = made.pairs(tmp_path, 3)
    port = server_type(tmp_path).port
    running: list[subprocess.Popen] = []

    def start() -> None:
        command = [sys.executable, "-c", COMMAND, str(review.path), "--reviewer", "anna", "--port", str(port)]
        running.append(subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        until = time.monotonic() + START_S
        while time.monotonic() < until:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2):
                    return
            except OSError:
                time.sleep(0.1)
        raise TimeoutError

    def kill() -> None:
        running[-1].send_signal(signal.SIGKILL)
        running[-1].wait(15)

    start()
    yield review, f"http://127.0.0.1:{port}", kill, start
    kill()


def test_a_review_by_keyboard_through_a_killed_server(served, visits, pages):
    review, url, kill, start = served
    page = visits.open(url)
    keys, button = page.page.keyboard, lambda name: page.page.get_by_role("button", name=name)
    pages.expect(page.page.get_by_role("heading", name="Item 1 of 3")).to_be_visible()
    page.settle()
    pages.expect(page.main.get_by_role("img", name="Photo: panorama")).to_be_visible()
    pages.expect(page.main.get_by_role("img", name="Satellite")).to_be_visible()
    found = page.findings()
    keys.press("e")
    pages.expect(button("Save the edit")).to_be_visible()
    page.main.get_by_label("Conclusion").fill("Both ")
    keys.type("bend, a x e.")  # the keys of buttons are letters here
    keys.press("Control+Enter")
    pages.expect(page.page.get_by_role("heading", name="Item 2 of 3")).to_be_visible()
    assert read_lines(review, "anna")[0].edited.conclusion == "Both bend, a x e."
    kill()
    start()
    page.page.goto(url)
    pages.expect(page.page.get_by_role("heading", name="Item 2 of 3")).to_be_visible()
    page.settle()
    keys.press("x")
    pages.expect(button("Save the rejection")).to_be_visible()
    found += page.findings()
    page.main.get_by_text("The label is wrong").click()
    button("Save the rejection").click()
    pages.expect(page.page.get_by_role("heading", name="Item 3 of 3")).to_be_visible()
    for number, decide in enumerate((made.accept, made.accept, made.accept)):
        append(review, "ben", decide(f"p{number} (en)", number))
    page.settle()
    keys.press("a")
    pages.expect(page.page.get_by_role("heading", name="Agreement")).to_be_visible()
    assert [line.verdict for line in read_lines(review, "anna")] == ["edit", "reject", "accept"]
    page.page.set_viewport_size({"width": 390, "height": 844})
    page.settle()
    wide = page.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0  # nothing is to be scrolled sideways
    found += page.findings()
    page.screenshot("review-end-light-390")
    assert not found, "\n".join(found)
