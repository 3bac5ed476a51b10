"""The review's page as a person uses it: decide, edit, reject, rate, go back, take back; two tabs, two people."""

import importlib.util
import re
import sys
from pathlib import Path

import pytest

pytest.importorskip("streamlit")

from streamlit import config
from streamlit.testing.v1 import AppTest

from geosleuth.indexes.errors import InputError
from geosleuth.training.review.decisions_file import append, read_lines
from geosleuth.ui.curate.review_command import script_arguments as told
from geosleuth.ui.page.review.app import Arguments, script_arguments

ROOT = Path(__file__).parents[4]
ITEMS = ROOT / "tests" / "training" / "review" / "review_items.py"
spec = importlib.util.spec_from_file_location("review_items", ITEMS)
made = sys.modules.setdefault("review_items", importlib.util.module_from_spec(spec))
spec.loader.exec_module(made)


@pytest.fixture(autouse=True)
def _on_this_machine():
    before = config.get_option("server.address")
    config.set_option("server.address", "127.0.0.1")
    yield
    config.set_option("server.address", before)


class Tab:
    """One tab of a reviewer's browser."""

    def __init__(self, review, reviewer: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.review, self.reviewer, self.monkeypatch = review, reviewer, monkeypatch
        self.page = AppTest.from_file(str(ROOT / "ui" / "review.py"), default_timeout=60)
        self.look()

    def look(self) -> AppTest:
        arguments = ["review.py", *told(self.review.path, self.reviewer, None)]
        with self.monkeypatch.context() as patch:
            patch.setattr(sys, "argv", arguments)
            self.page.run()
        assert [one.message for one in self.page.exception] == []
        return self.page

    def press(self, key: str) -> AppTest:
        self.page.button(key=key).click()
        return self.look()

    @property
    def title(self) -> str:
        return self.page.title[0].value

    @property
    def texts(self) -> str:
        return "\n".join(one.value for one in self.page.text)

    @property
    def errors(self) -> str:
        return "\n".join(one.value for one in self.page.error)

    @property
    def said(self) -> list[str]:
        return [line.verdict for line in read_lines(self.review, self.reviewer)]


@pytest.fixture
def tab(tmp_path, monkeypatch):
    """Return what opens a tab on a review of three pairs."""
    review = made.pairs(tmp_path, 3)
    return lambda reviewer="anna": Tab(review, reviewer, monkeypatch)


def test_each_decision_is_on_the_disk_before_the_next_item_shows(tab):
    one = tab()
    assert one.title == "Item 1 of 3"
    assert "• a junction" in one.texts
    assert [str(header.value) for header in one.page.subheader] == ["Label: the same place"]
    one.press("accept-0")
    assert (one.title, one.said) == ("Item 2 of 3", ["accept"])
    one.press("edit-1")
    one.page.text_area(key="agreeing-1").set_value("a bend\n\n  a wall ")
    one.page.text_area(key="conclusion-1").set_value("Both bend.")
    one.press("save-edit-1")
    assert (one.title, one.said) == ("Item 3 of 3", ["accept", "edit"])
    edited = read_lines(one.review, "anna")[1].edited
    assert (edited.agreeing, edited.disagreeing, edited.conclusion) == (("a bend", "a wall"), (), "Both bend.")
    one.press("reject-2")
    one.press("save-reject-2")
    assert "Choose one of the list" in one.errors
    one.page.radio[0].set_value("other")
    one.press("save-reject-2")
    assert "in the note" in one.errors
    one.page.radio[0].set_value("absent")
    one.page.text_input[0].set_value("no tower")
    one.press("save-reject-2")
    assert (one.title, one.said) == ("Review", ["accept", "edit", "reject"])
    assert (read_lines(one.review, "anna")[2].why, read_lines(one.review, "anna")[2].note) == ("absent", "no tower")
    assert "another person should review" in one.texts


def test_an_edit_that_cannot_be_kept_stays_on_the_page(tab):
    one = tab()
    one.press("edit-0")
    one.press("save-edit-0")
    assert "the text as it was" in one.errors
    one.page.text_area(key="conclusion-0").set_value("  ")
    one.press("save-edit-0")
    assert "conclusion" in one.errors
    assert one.page.text_area(key="agreeing-0").value == "a junction"
    one.press("cancel-0")
    assert one.said == []
    assert "• a junction" in one.texts


def test_back_take_back_and_skip(tab):
    one = tab()
    one.press("skip-0")
    one.press("accept-1")
    assert one.title == "Item 3 of 3"
    one.press("back-2")
    assert one.title == "Item 2 of 3"
    assert "You: accepted" in one.texts
    one.press("undo-1")
    assert one.said == ["accept", "undo"]
    assert "You:" not in one.texts
    one.press("reject-1")
    one.page.radio[0].set_value("vague")
    one.press("save-reject-1")
    one.press("accept-2")
    assert one.title == "Item 1 of 3"  # what was skipped comes again
    one.press("accept-0")
    assert one.title == "Review"
    again = tab()  # another day: the page goes to the end, and Back to what was decided last
    assert again.title == "Review"
    again.press("back-end")
    assert again.title == "Item 1 of 3"


def test_the_only_item_left_stays_when_it_is_skipped(tab):
    one = tab()
    one.press("accept-0")
    one.press("accept-1")
    one.press("skip-2")
    assert one.title == "Item 3 of 3"


def test_nobody_sees_the_others_decision_first_and_both_see_the_agreement(tab):
    anna, ben = tab(), tab("ben")
    for number in range(3):
        anna.press(f"accept-{number}")
    ben.look()
    assert "anna" not in ben.texts
    ben.press("accept-0")
    ben.press("accept-1")
    ben.press("reject-2")
    ben.page.radio[0].set_value("label_wrong")
    ben.press("save-reject-2")
    assert ben.title == "Review"
    assert "2 of 3 kept as they are" in ben.texts
    assert "1 of 3 disputed, waiting for a third decision" in ben.texts
    table = ben.page.table[0].value
    assert list(table.iloc[0]) == ["anna and ben", "Verdict", "3", "67%", "0\\.00"]  # anna always said the same
    anna.look()
    anna.press("disputed-2")
    assert "ben: rejected: The label is wrong" in anna.texts
    anna.press("reject-2")
    anna.page.radio[0].set_value("label_wrong")
    anna.press("save-reject-2")
    assert "1 of 3 rejected" in anna.texts
    assert not read_lines(anna.review, "anna")[-1].blind
    assert list(anna.page.table[0].value.iloc[0])[3] == "67%"  # what was said blind, still


def test_another_reviewers_text_can_be_taken_word_by_word(tab):
    anna = tab()
    append(anna.review, "ben", made.edit("p0 (en)"))
    anna.press("edit-0")
    anna.page.text_area(key="conclusion-0").set_value("Mine.")
    anna.press("save-edit-0")
    anna.press("back-1")
    anna.press("take-0-ben")
    assert read_lines(anna.review, "anna")[-1].edited == made.OTHER


def test_two_tabs_of_one_reviewer_lose_nothing(tab):
    one, two = tab(), tab()
    one.press("accept-0")
    two.press("reject-0")
    two.page.radio[0].set_value("vague")
    two.press("save-reject-0")
    assert one.said == ["accept", "reject"]
    assert "in another tab" in two.page.info[0].value
    assert two.title == "Item 2 of 3"


def test_a_missing_picture_is_told_and_the_item_can_be_rejected(tab):
    one = tab()
    (one.review.root / "street.jpg").write_bytes(b"no picture")
    (one.review.root / "above" / "tile.jpg").unlink()
    one.look()
    assert "no file" in one.errors
    assert len(one.page.error) == 2
    one.press("reject-0")
    one.page.radio[0].set_value("picture_missing")
    one.press("save-reject-0")
    assert one.said == ["reject"]


def test_a_damaged_file_of_anybody_is_told_and_left_alone(tab):
    one = tab()
    append(one.review, "ben", made.accept("p0 (en)"))
    path = one.review.file_of("ben")
    path.write_bytes(path.read_bytes() + b"{\n")
    one.look()
    assert "line 2" in one.errors
    assert path.read_bytes().endswith(b"}\n{\n")
    assert len(one.page.button) == 0


def test_a_decision_that_cannot_be_written_is_not_passed_over(tab, monkeypatch):
    one = tab()

    def full(*_):
        raise InputError("to keep it", "No space left on device", "Make room.")

    with monkeypatch.context() as patch:
        patch.setattr("geosleuth.ui.page.review.desk.append", full)
        one.press("accept-0")
    assert one.title == "Item 1 of 3"
    assert "No space left on device" in one.errors


def test_words_of_models_are_text(tmp_path, monkeypatch):
    nasty = "<img src=x> **bold** [a](https://example.org) :smile: $x$ \u202e"
    explanation = made.TEXT.model_copy(update={"agreeing": (nasty,), "conclusion": nasty})
    records = [made.record(0, explanation=explanation, teacher=nasty, query_modality=nasty)]
    items = [made.pair_item(record) for record in records]
    review = made.make_review(tmp_path / "review", items, made.pictures(tmp_path / "pictures"))
    page = Tab(review, "anna", monkeypatch)
    assert "<img src=x> **bold** [a](https://example.org) :smile: $x$ \\u202e" in page.texts
    for element in [*page.page.markdown, *page.page.caption, *page.page.subheader]:
        assert not re.search(r"(?<!\\)[<*\[$]", element.value.replace("**", ""))


def test_reasons_are_rated_on_three_measures(tmp_path, monkeypatch):
    one = Tab(made.answers(tmp_path, 2), "anna", monkeypatch)
    assert one.page.subheader[0].value == "Quimper, France"
    assert one.page.button(key="rate-0").disabled
    for measure, value in (("presence", 4), ("logic", 2), ("help", 5)):
        one.page.radio(key=f"{measure}-0").set_value(value)
        one.look()
    assert "2: it does not follow" in [caption.value for caption in one.page.caption]
    one.press("rate-0")
    (line,) = read_lines(one.review, "anna")
    assert (line.presence, line.logic, line.help) == (4, 2, 5)
    assert one.page.button(key="rate-1").disabled
    one.press("back-1")
    assert "You: Presence 4, Logic 2, Help 5" in one.texts
    assert one.page.radio(key="logic-0").value == 2
    one.press("skip-0")
    one.press("reject-1")
    assert one.page.radio[0].options == [
        "A picture is missing or damaged",
        "The photo shows no place",
        "Wrong language, or unreadable",
        "Something else (say what)",
    ]


def test_the_page_is_for_this_machine_alone(tab):
    config.set_option("server.address", "0.0.0.0")  # noqa: S104
    one = tab()
    assert "a review that only this machine reaches" in one.errors.replace("\\", "")
    assert len(one.page.button) == 0


def test_what_the_page_is_told():
    assert script_arguments(told(Path("/a"), "anna", Path("/b"))) == Arguments(Path("/a"), "anna", Path("/b"))
    assert script_arguments(told(Path("/a"), "anna", None)) == Arguments(Path("/a"), "anna", None)
    with pytest.raises(InputError, match="a review folder and a reviewer"):
        script_arguments([])
    with pytest.raises(InputError, match="the review's arguments"):
        script_arguments(["--folder"])


def test_a_reference_is_called_what_it_is(tmp_path, monkeypatch):
    items = [made.pair_item(made.record(0, reference_view="drone"))]
    review = made.make_review(tmp_path / "review", items, made.pictures(tmp_path / "pictures"))
    page = Tab(review, "anna", monkeypatch).page
    shown = [*page.get("image"), *page.get("imgs")]  # what Streamlit's tests call a picture depends on its version
    captions = [picture.caption.replace("\\", "") for block in shown for picture in block.proto.imgs]
    assert captions == ["Photo: panorama", "Reference: drone"]
