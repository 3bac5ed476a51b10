"""The page on which people place photos: they answer, change their mind, leave and come back; two tabs, two people."""

import hashlib
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("streamlit")
pytest.importorskip("pydeck")

from PIL import Image
from streamlit import config
from streamlit.testing.v1 import AppTest

from geosleuth.indexes.errors import InputError
from geosleuth.training.evaluate.human.answer_file import read_answers
from geosleuth.training.evaluate.human.asked import in_order
from geosleuth.ui.evaluate_human import SCRIPT
from geosleuth.ui.page.human.desk import photos_of
from geosleuth.ui.page.human.map import Click, cells, window
from geosleuth.ui.page.human.told import Told, arguments_of, told_by

SECRETS = ("Quimper", "Toledo", "Kyoto")  # invented labels of drawn pictures; in the files' names and their metadata


@pytest.fixture(autouse=True)
def _on_this_machine():
    before = config.get_option("server.address")
    config.set_option("server.address", "127.0.0.1")
    yield
    config.set_option("server.address", before)


@pytest.fixture
def told(tmp_path):
    """Return what a page of three drawn photos is told."""
    root = tmp_path / "photos"
    root.mkdir()
    lines = ["file,lat,lon,country"]
    for number, secret in enumerate(SECRETS):
        exif = Image.Exif()
        exif[0x010E] = secret  # ImageDescription
        pixels = np.full((48, 64, 3), 60 * number, np.uint8)
        Image.fromarray(pixels).save(root / f"{secret}.jpg", exif=exif)
        lines.append(f"{secret}.jpg,{40 + number},{number},FR")
    (root / "labels.csv").write_text("\n".join(lines) + "\n")
    return Told("csv", root, tmp_path / "answers.jsonl")


class Tab:
    """One tab of a browser."""

    def __init__(self, told: Told, person: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
        self.told, self.monkeypatch = told, monkeypatch
        self.page = AppTest.from_file(str(SCRIPT), default_timeout=60)
        if person:
            self.page.query_params["person"] = person
        self.look()

    def look(self) -> AppTest:
        with self.monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["human.py", *arguments_of(self.told)])
            self.page.run()
        assert [one.message for one in self.page.exception] == []
        return self.page

    def press(self, key: str) -> AppTest:
        self.page.button(key=key).click()
        return self.look()

    def fill(self, n: int, words: str, sure=0.75, clues=("text",)) -> None:
        self.page.text_input(key=f"words-{n}").set_value(words)
        self.page.radio(key=f"sure-{n}").set_value(sure)
        self.page.button_group(key=f"clues-{n}").set_value(list(clues))
        self.look()

    @property
    def title(self) -> str:
        return self.page.title[0].value

    @property
    def errors(self) -> str:
        return "\n".join(one.value.replace("\\", "") for one in self.page.error)

    @property
    def texts(self) -> str:
        return "\n".join(one.value for one in self.page.text)

    @property
    def progress(self) -> str:
        (bar,) = self.page.get("progress")
        return bar.proto.text

    @property
    def answers(self):
        return read_answers(self.told.out).lines


@pytest.fixture
def tab(told, monkeypatch):
    return lambda person="anna": Tab(told, person, monkeypatch)


def test_each_answer_is_on_the_disk_before_the_next_photo_shows(tab, told):
    one = tab()
    assert one.page.button(key="save-0").disabled
    shown = "".join(str(node.proto) for node in one.page.main)
    assert "The photo" in shown
    assert "I cannot tell" in shown
    assert not any(secret in shown for secret in SECRETS)  # nothing on the page tells where a photo is from
    one.fill(0, "Lyon, France")
    assert "Your answer: Lyon, France" in one.texts
    one.press("save-0")
    (first,) = one.answers
    shown = in_order(photos_of(told)[1], "anna")
    assert (first.person, first.file, first.given, first.country, first.city) == (
        ("anna", shown[0].file, "place", "FR", "Lyon")
    )
    assert first.photo == hashlib.sha256((told.root / first.file).read_bytes()).hexdigest()
    assert (first.sure, first.clues, first.seconds > 0) == (0.75, ("text",), True)
    assert one.progress == "anna: 1 of 3 answered"
    one.press("nothing-1")
    one.fill(2, "48.5, 2.5", sure=0.05, clues=("plants", "light"))
    one.press("save-2")
    assert one.title == "Nothing is left"
    assert [answer.given for answer in one.answers] == ["place", "nothing", "coordinates"]
    assert one.answers[2].clues == ("plants", "light")
    again = tab()  # another day
    assert again.title == "Nothing is left"


def test_an_answer_can_be_changed_and_one_can_be_put_off(tab):
    one = tab()
    one.fill(0, "Peru")
    one.press("save-0")
    one.press("skip-1")
    assert one.page.button(key="save-2").disabled
    one.press("back")
    assert "You said: Peru" in one.page.info[0].value.replace("\\", "")
    one.fill(0, "Chile", sure=0.25)
    one.press("save-0")
    assert [(answer.given, answer.country) for answer in one.answers] == [("country", "PE"), ("country", "CL")]
    one.press("nothing-2")
    assert "without an answer yet: 1." in one.texts
    one.press("again")
    one.press("nothing-1")
    assert "every answer is on the disk" in one.texts
    assert len(one.answers) == 4


def test_people_have_orders_of_their_own_and_do_not_meet(tab, told):
    anna, ben = tab(), tab("ben")
    anna.press("nothing-0")
    ben.press("nothing-0")
    assert [answer.person for answer in anna.answers] == ["anna", "ben"]
    photos = photos_of(told)[1]
    assert [answer.file for answer in anna.answers] == [in_order(photos, name)[0].file for name in ("anna", "ben")]


def test_two_tabs_of_one_person_lose_nothing(tab):
    one, two = tab(), tab()
    one.fill(0, "Peru")
    two.fill(0, "Chile")
    one.press("save-0")
    two.press("save-0")
    assert [answer.country for answer in one.answers] == ["PE", "CL"]
    assert "in another tab" in two.page.info[0].value
    one.press("nothing-1")
    two.press("nothing-1")  # the same again: as two quick clicks are
    assert len(one.answers) == 3


def test_a_name_is_asked_for_and_checked(tab):
    one = tab(None)
    assert "no search engine" in one.texts
    one.page.text_input(key="name").set_value("a/b")
    one.press("begin")
    assert "your name" in one.errors
    one.page.text_input(key="name").set_value(" anna ")
    one.press("begin")
    assert one.page.query_params["person"] == "anna"
    assert one.progress == "anna: 0 of 3 answered"
    one.press("nothing-0")
    one.press("leave")
    assert "person" not in one.page.query_params
    other = tab("Anna")  # a file of names that systems fold
    assert "your name" in other.errors
    other.press("other-name")
    assert other.page.text_input(key="name").value == ""


def test_words_and_clicks_on_the_map_are_places(tab):
    one = tab()
    one.fill(0, "qzxqzx")
    assert "No place" in one.page.warning[0].value
    assert one.page.button(key="save-0").disabled
    one.page.text_input(key="words-0").set_value("Georgia")
    one.look()
    box = one.page.selectbox[0]  # of several meanings one is chosen
    assert box.options[0] == "Georgia"
    box.set_value(next(i for i, words in enumerate(box.options) if "United States" in words and "region" in words))
    one.look()
    one.press("save-0")
    assert (one.answers[0].country, one.answers[0].given, one.answers[0].city) == ("US", "place", None)
    one.fill(1, "Peru")
    one.page.session_state["click-1"] = Click((45.1, 4.9), 2)  # as the map's callback leaves it
    one.look()
    assert "45.1000, 4.9000, in France" in one.texts
    one.page.text_input(key="words-1").set_value("Chile")  # what is said last counts
    one.look()
    assert "Your answer: Chile" in one.texts
    one.page.session_state["click-1"] = Click((45.1, 4.9), 2)
    one.look()
    one.press("save-1")
    assert (one.answers[1].given, one.answers[1].point, one.answers[1].country) == ("map", (45.1, 4.9), "FR")


def test_a_full_disk_and_a_damaged_photo_are_told(tab, told, monkeypatch):
    one = tab()

    def full(*_):
        raise InputError("to keep it", "No space left on device", "Make room.")

    with monkeypatch.context() as patch:
        patch.setattr("geosleuth.ui.page.human.desk.add", full)
        one.press("nothing-0")
    assert "No space left on device" in one.errors
    assert one.progress == "anna: 0 of 3 answered"
    one.press("nothing-0")
    assert len(one.answers) == 1
    for path in told.root.glob("*.jpg"):
        path.write_bytes(b"no picture")
    one.look()
    assert one.errors == "This photo cannot be read. The terminal names its file with --verbose."  # and not on the page
    one.press("skip-1")
    assert one.page.button(key="skip-2")


def test_the_page_is_for_this_machine_alone(tab):
    config.set_option("server.address", "0.0.0.0")  # noqa: S104
    one = tab()
    assert "a page that only this machine reaches" in one.errors


def test_what_the_page_is_told():
    for told in (Told("csv", Path("/r"), Path("/o")), Told("csv", Path("/r"), Path("/o"), Path("/l"), 5)):
        assert told_by(arguments_of(told)) == told
    with pytest.raises(InputError, match="a data set, its folder and a file"):
        told_by([])
    with pytest.raises(InputError, match="the page's arguments"):
        told_by(["--limit", "many"])


def test_cells_cover_the_window_and_lead_to_finer_ones():
    world = cells(None, 0)
    assert len(world) == 72 * 28
    paris = next(cell for cell in world if cell["polygon"][0] == [0.0, 45.0])
    assert (paris["at"], paris["name"]) == ([47.5, 2.5], "France")
    near = cells(tuple(paris["at"]), 1)
    assert len(near) == 50 * 50
    west, south, east, north, _ = window(tuple(paris["at"]), 1)
    assert (west, south, east, north) == (-2.5, 42.5, 7.5, 52.5)  # all of the cell that was clicked, and around it
    assert min(cell["polygon"][0][0] for cell in near) == -2.5
    assert max(cell["polygon"][2][1] for cell in near) == 52.5


def test_cells_beyond_the_date_line_are_on_the_globe():
    middles = [cell["at"] for cell in cells((-17.0, 179.0), 1)]
    assert all(-180 <= lon <= 180 for _, lon in middles)
    assert any(lon < -175 for _, lon in middles)
    assert window((85.0, 0.0), 2)[3] == 80.0
