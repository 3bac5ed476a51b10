"""Two browsers at once, and a page that stays free while its run goes on."""

import re

import pytest
from PIL import Image


@pytest.fixture
def many(scene, tmp_path):
    """Return ten views of the drawn street: a run that is long enough to be looked at."""
    paths = []
    with Image.open(scene.path) as drawn:
        for n in range(10):
            paths.append(tmp_path / f"view-{n}.jpg")
            drawn.crop((10 * n, 0, drawn.width, drawn.height)).save(paths[-1], quality=92)
    return paths


def test_two_browsers_at_once_do_not_mix(chat, visits, pages, street, scene, tmp_path):
    other = tmp_path / "other-street.jpg"
    other.write_bytes(scene.path.read_bytes())
    one, two = visits.open(chat.url), visits.open(chat.url)
    one.hand_in(street.path)
    two.hand_in(other)
    one.find.click()
    two.find.click()
    two.wait_for_answer(scene.country)
    one.wait_for_answer(street.country)
    assert one.page.url != two.page.url
    for page, mine, others in ((one, street.path, other), (two, other, street.path)):
        pages.expect(page.page.get_by_role("heading", level=1)).to_have_text(mine.stem)
        assert others.stem not in page.main.inner_text()


def test_the_page_is_free_while_a_run_goes_on_which_can_be_stopped_and_gone_on_with(chat, visits, pages, many):
    page, other = visits.open(chat.url), visits.open(chat.url)  # both before: a run may end while a page is loaded
    page.ask_about(*many)
    # Steps are shown one after the other, and not all at the end: those of the first photo while the second is read.
    pages.expect(page.main.locator("strong").get_by_text("submap").first).to_be_visible()
    pages.expect(page.stop).to_be_visible()
    case = page.page.url
    page.page.get_by_role("button", name="New case").click()
    page.wait_for_new_case()
    hint = page.main.get_by_label("What do you know already? (optional)")
    hint.fill("in Portugal")
    hint.press("Tab")
    pages.expect(hint).to_have_value("in Portugal")
    other.page.goto(case)  # the run belongs to the case, not to the tab that began it
    pages.expect(other.stop).to_be_visible()
    pages.expect(other.line).to_be_disabled()
    # At once, as an event: what is shown moves with each step, and a picture taken before may outlast the run.
    other.stop.dispatch_event("click")
    stopped = other.main.get_by_text(re.compile(r"Stopped after \d+ steps?\. What was found is kept\."))
    pages.expect(stopped).to_be_visible()
    other.settle()
    other.screenshot("stopped-light-1280")
    other.main.get_by_role("button", name="Go on").click()
    other.wait_for_answer("France")
    pages.expect(stopped).to_have_count(0)
