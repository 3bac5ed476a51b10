"""The chat without a mouse: everything is reached with Tab, shows that it is reached, and works with a key."""

# How an element and the boxes around it look: a frame or a ring is drawn on one of them while it has the focus.
LOOK = """element => {
    const looks = [];
    for (let up = 0; element && up < 5; up++, element = element.parentElement) {
        const style = getComputedStyle(element);
        looks.push([style.boxShadow, style.outlineStyle, style.outlineWidth, style.outlineColor, style.borderColor,
                    style.backgroundColor, style.color, style.transform].join(' | '));
    }
    return looks;
}"""
CONTROLS = ("button", "textbox", "combobox", "switch", "tab", "link", "slider", "radio", "checkbox", "spinbutton")


def walked(page, last: str, most: int = 60) -> tuple[list[str], list[str]]:
    """Press Tab until an element named `last`; return what had the focus, and which controls did not show it."""
    page.page.add_style_tag(content="* { transition: none !important }")  # a ring that comes slowly is no ring yet
    names, unseen = [], []
    while last not in "".join(names):
        assert len(names) < most, names
        page.page.keyboard.press("Tab")
        element = page.page.evaluate_handle("document.activeElement").as_element()
        name = page.page.locator("*:focus").aria_snapshot().splitlines()[0].removeprefix("- ")
        look = element.evaluate(LOOK)
        element.evaluate("element => element.blur()")
        if name.startswith(CONTROLS) and element.evaluate(LOOK) == look:
            unseen.append(name)
        element.focus()
        names.append(name)
    return names, unseen


def test_a_new_case_is_filled_in_with_tab_and_the_focus_is_seen(chat, visits, pages):
    page = visits.open(chat.url)
    page.wait_for_new_case()
    names, unseen = walked(page, pages.LINE)
    told = "\n".join(names)
    wanted = ("New case", "Explanations", "Upload", "What do you know already?", "Do you know when", pages.LINE)
    assert all(one in told for one in wanted), told
    places = [told.index(one) for one in wanted]
    assert places == sorted(places), told  # in the order in which the page is read
    assert unseen == []


def test_a_view_is_chosen_with_arrows_and_its_switches_are_reached_with_tab(answered, visits, pages):
    page = visits.open(answered)
    page.wait_for_answer()
    page.settle()
    page.page.get_by_role("tab", name="Map", exact=True).focus()
    page.page.keyboard.press("ArrowRight")
    page.page.keyboard.press("ArrowRight")
    pages.expect(page.page.get_by_role("tab", name="Evidence", exact=True)).to_be_focused()
    page.page.keyboard.press("Enter")
    pages.expect(page.main.get_by_label("Clue 1 counts")).to_be_visible()
    page.settle()
    _, unseen = walked(page, "Clue 1 counts")
    assert unseen == []
