"""What a person does in the chat, in a browser that reaches nothing but 127.0.0.1."""

import json
import re
from pathlib import Path

import pytest

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect

ROOT = Path(__file__).resolve().parents[2]
SCREENS = ROOT / "out" / "screens"  # what CI keeps, and people look at
WAIT_MS = 180_000  # of a machine at ten times its load; an answer takes 2 s on a free one
expect.set_options(timeout=WAIT_MS)  # else 5 s, which a machine of two cores with a browser and a server may take
WIDE, NARROW = (1280, 900), (390, 844)  # px; a small laptop, a phone
LOCAL = r"(?:(?:https?|wss?)://127\.0\.0\.1:\d+/|data:|blob:|about:)"
FLAGS = [
    "--no-sandbox",  # containers have none to offer
    "--enable-unsafe-swiftshader",  # WebGL of the map without a graphics card
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",  # no name leads anywhere, whoever asks
]
STILL = """() => document.getAnimations().every(
    one => one.playState !== 'running' || one.effect.getComputedTiming().endTime === Infinity)"""
TITLE = "Where was this photo taken?"
LINE = "Drop a photo here, or write what you know of it"  # of the line at the bottom
VIEWS = ("Map", "Photo", "Evidence", "Questions", "Next steps", "Trace", "Downloads")


class Visits:
    """Opens pages, each in a browser profile of its own, and notes every address that they asked for."""

    def __init__(self, browser) -> None:
        self._browser = browser
        self._contexts: list = []
        self.asked: list[str] = []
        self.failures: list[str] = []

    def open(self, url: str, *, dark: bool = False, size: tuple[int, int] = WIDE) -> "ChatPage":
        context = self._browser.new_context(
            color_scheme="dark" if dark else "light",
            viewport={"width": size[0], "height": size[1]},
            reduced_motion="reduce",
            service_workers="block",  # whose requests would be in no record
            timezone_id="UTC",
        )
        self._contexts.append(context)
        context.set_default_timeout(WAIT_MS)
        context.on("request", lambda request: self.asked.append(request.url))
        context.route(re.compile(f"^(?!{LOCAL})"), lambda route: route.abort())
        page = context.new_page()
        page.on("websocket", lambda socket: self.asked.append(socket.url))
        page.on("pageerror", lambda error: self.failures.append(str(error)))
        page.goto(url)
        return ChatPage(page)

    def close(self) -> None:
        for context in self._contexts:
            context.close()

    def check(self) -> None:
        """No page may have asked another host, nor failed in its scripts; and the record must be one."""
        assert any(url.startswith("ws://127.0.0.1") for url in self.asked), "nothing was recorded"
        assert [url for url in self.asked if not re.match(LOCAL, url)] == []
        assert self.failures == []


class ChatPage:
    """One browser's page of the chat."""

    def __init__(self, page) -> None:
        self.page = page
        self.main = page.get_by_test_id("stMainBlockContainer")
        self.uploader = page.get_by_test_id("stFileUploader")
        self.find = page.get_by_role("button", name="Find the place")
        self.line = page.get_by_test_id("stChatInputTextArea")
        self.stop = page.get_by_role("button", name="Stop", exact=True)
        self.answer = self.main.get_by_role("heading", level=2)  # the place, on the card

    def hand_in(self, *paths: Path) -> None:
        """Choose files, and wait until the page has them."""
        self.wait_for_new_case()
        self.uploader.locator("input[type=file]").set_input_files(list(paths))
        expect(self.find).to_be_enabled()

    def wait_for_new_case(self) -> None:
        """Wait for the page of a new case, and until nothing is left of the page before, whose fields look the same."""
        expect(self.page.get_by_role("heading", name=TITLE)).to_be_visible()
        self.settle()

    def ask_about(self, *paths: Path) -> None:
        self.hand_in(*paths)
        self.find.click()

    def say(self, words: str) -> None:
        expect(self.line).to_be_enabled()
        self.settle()
        self.line.fill(words)
        self.line.press("Enter")

    def wait_for_answer(self, words: str | None = None) -> None:
        expect(self.answer).to_be_visible()
        if words is not None:
            expect(self.answer).to_contain_text(words)

    def show(self, view: str) -> None:
        """Open one of the views below the card, and wait until it is all there."""
        tab = self.page.get_by_role("tab", name=view, exact=True)
        tab.click()
        expect(tab).to_have_attribute("aria-selected", "true")
        expect(self.main.get_by_role("tabpanel", name=view).get_by_test_id("stElementContainer").first).to_be_visible()
        self.settle()

    def settle(self) -> None:
        """Wait until the server has no more to tell, and everything is drawn."""
        app = self.page.get_by_test_id("stApp")
        expect(app).to_have_attribute("data-test-script-state", "notRunning")
        expect(self.page.locator("[data-stale=true]")).to_have_count(0)
        expect(self.page.get_by_test_id("stSkeleton")).to_have_count(0)
        self.page.wait_for_function(STILL)  # what unfolds covers what is below it for a moment

    def screenshot(self, name: str) -> None:
        SCREENS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENS / f"{name}.png", animations="disabled")

    def findings(self) -> list[str]:
        """Return axe-core's serious and critical findings of the page as it stands: rule, element, reason."""
        axe = pytest.importorskip("axe_playwright_python.base")
        self.page.evaluate(axe.AXE_SCRIPT)
        found = self.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        return [
            f"{rule['id']} ({rule['impact']}): {json.dumps(node['target'])} {node['html'][:160]} "
            + node["failureSummary"]
            for rule in found["violations"]
            if rule["impact"] in ("serious", "critical")
            for node in rule["nodes"]
        ]
