"""Every screen as a picture for people, light and dark, on a laptop and on a phone; and what axe-core says of it."""

import pytest

LOOKS = [(dark, width) for dark in (False, True) for width in (1280, 390)]
TALL = 2200  # px: the page scrolls inside itself, and a high window shows all of it


@pytest.fixture(params=LOOKS, ids=[f"{'dark' if dark else 'light'}-{width}" for dark, width in LOOKS])
def look(request, visits, pages):
    """Return what opens an address in one of the four looks, and what photographs and judges the page."""
    dark, width = request.param

    def opened(url: str):
        return visits.open(url, dark=dark, size=pages.WIDE if width == 1280 else pages.NARROW)

    def judged(page, screen: str, *, whole: bool = False, judge: bool = True) -> list[str]:
        if whole:
            page.page.set_viewport_size({"width": width, "height": TALL})
        page.screenshot(f"{screen}-{'dark' if dark else 'light'}-{width}")
        return [f"{screen}: {found}" for found in page.findings()] if judge else []

    judged.rules = width == 1280 or not dark  # a phone in the dark has no element and no colour that the others lack
    return opened, judged


def test_the_answer_and_all_its_views(look, answered, pages):
    opened, judged = look
    page = opened(answered)
    page.wait_for_answer()
    page.settle()
    found = judged(page, "answer", judge=judged.rules)
    for view in pages.VIEWS:
        page.show(view)
        found += judged(page, view.lower().replace(" ", "-"), whole=True, judge=judged.rules)
    assert not found, "\n".join(found)


def test_a_new_case_and_a_broken_file(look, chat, street, pages, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff\xe0" + bytes(2000))
    opened, judged = look
    page = opened(chat.url)
    page.wait_for_new_case()
    found = judged(page, "new")
    page.hand_in(street.path, broken)
    pages.expect(page.main.get_by_test_id("stAlert")).to_be_visible()
    page.main.get_by_text("Turn or crop").click()
    pages.expect(page.main.get_by_text("As it will be looked at")).to_be_visible()
    page.main.get_by_text("Do you know when it was taken").click()
    pages.expect(page.main.get_by_role("button", name="Use the sun")).to_be_visible()
    page.settle()
    found += judged(page, "new-with-photo", whole=True)
    assert not found, "\n".join(found)
