"""The page as a person uses it, with small real tools: a case, words, switches, an undo, a restart, two people."""

import functools
import importlib.util
import io
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from geosleuth.agent.agent import Agent
from geosleuth.agent.cases.store import CaseStore
from geosleuth.agent.settings import Settings
from geosleuth.agent.toolbox import Finding
from geosleuth.indexes.photo_edit import Edit
from geosleuth.ui.page import server as shared
from geosleuth.ui.page.owner import LOCAL
from geosleuth.ui.page.runs import Runs
from geosleuth.ui.page.server import Server

pytest.importorskip("streamlit")
pytest.importorskip("langgraph.checkpoint.sqlite")

from streamlit import config
from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).parents[3]
spec = importlib.util.spec_from_file_location("scenes", ROOT / "tests" / "agent" / "scenes.py")
scenes = sys.modules.setdefault("scenes", importlib.util.module_from_spec(spec))
spec.loader.exec_module(scenes)


def png(shade: int = 127, size: tuple[int, int] = (60, 40)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, (shade, shade, shade)).save(file, "PNG")
    return file.getvalue()


def lying_street() -> bytes:
    """Street views, turned to the left."""
    file = io.BytesIO()
    Image.fromarray(np.rot90(np.asarray(Image.open(ROOT / "docs" / "match.jpg")))).save(file, "JPEG")
    return file.getvalue()


def turns(page: AppTest) -> list:
    return [box for box in page.selectbox if box.label == "Turn clockwise (degrees)"]


class Chat:
    """One browser at a server, which may be started anew."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, **tools) -> None:
        self.settings = Settings(cases_dir=folder)
        self.tools = scenes.STUBS | tools
        self.monkeypatch = monkeypatch
        monkeypatch.setattr(sys, "argv", ["chat.py"])
        self.start_server()

    def start_server(self) -> None:
        start = functools.partial(shared._start, None)
        self.server = Server(self.settings, Agent(self.settings, tools=self.tools, start=start), Runs(1))
        self.server._warm.set()  # the stubs have nothing to load
        self.monkeypatch.setattr(shared, "_made", lambda *_: self.server)
        self.page = AppTest.from_file(str(ROOT / "ui" / "chat.py"), default_timeout=30)

    def look(self) -> AppTest:
        self.page.run()
        assert [one.message for one in self.page.exception] == []
        return self.page

    def until_answered(self) -> AppTest:
        until = time.monotonic() + 60  # of a loaded machine; tenths of a second on a free one
        while time.monotonic() < until:
            if all(run.over for run in self.server.runs._latest.values()):
                return self.look()
            time.sleep(0.02)
        raise TimeoutError

    def upload(self, *files: tuple[str, bytes]) -> AppTest:
        self.look()
        for name, content in files:
            self.page.file_uploader[0].upload(name, content)
        return self.look()

    def ask(self) -> AppTest:
        self.page.button(key="find_place").click()
        self.look()
        return self.until_answered()

    def say(self, words: str) -> AppTest:
        self.page.chat_input[0].set_value(words)
        self.look()
        return self.until_answered()

    @property
    def texts(self) -> str:
        return "\n".join(one.value for one in [*self.page.markdown, *self.page.subheader, *self.page.header])

    @property
    def case(self):
        store = CaseStore.of(self.settings, LOCAL)
        (listed,) = store.list()
        return store.open(listed.id)

    def answer(self):
        return CaseStore.of(self.settings, LOCAL).answer(self.case)


@pytest.fixture(autouse=True)
def _on_this_machine():
    before = config.get_option("server.address")
    config.set_option("server.address", "127.0.0.1")
    yield
    config.set_option("server.address", before)


@pytest.fixture
def chat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Chat:
    return Chat(tmp_path, monkeypatch)


def test_a_photo_is_answered_and_kept_with_what_was_known_already(chat: Chat):
    page = chat.look()
    assert [one.value for one in page.title] == ["Where was this photo taken?"]
    assert page.button(key="find_place").disabled
    chat.upload(("street.png", png()))
    chat.page.text_input[0].set_value("not Lisbon")
    page = chat.ask()
    assert [one.value for one in page.title] == ["street"]
    assert "Portugal" in chat.texts
    assert chat.answer().country.code == "PT"
    (turn,) = chat.case.turns
    assert turn.said == "not Lisbon"
    assert [one.text for one in turn.inquiry.statements] == ["not Lisbon"]
    assert page.query_params["case"] == chat.case.id


def test_words_change_the_answer_and_an_undo_brings_the_earlier_one_back(chat: Chat):
    chat.upload(("street.png", png()))
    chat.ask()
    first = chat.answer()
    chat.say("not Portugal")
    assert chat.case.turns[-1].understood.startswith("Taken as a hint")
    assert chat.answer().country.probability < 0.7 < first.country.probability  # odds of 99 to 1 against it
    page = chat.page
    page.button(key="undo_2").click()
    chat.look()
    chat.until_answered()
    assert [turn.undo for turn in chat.case.turns] == [False, False, True]
    assert chat.answer().countries == first.countries
    assert not [one for one in chat.page.button if one.key.startswith("undo_")]  # nothing is left to take back


def test_words_that_nobody_understands_are_told_with_examples_and_change_nothing(chat: Chat):
    chat.upload(("street.png", png()))
    chat.ask()
    chat.say("blah blubb blubber")
    assert "That was not understood" in chat.texts
    assert len(chat.case.turns) == 1


def test_why_not_is_answered_in_words_that_stay_in_the_case(chat: Chat):
    chat.upload(("street.png", png()))
    chat.ask()
    before = chat.answer()
    chat.say("why not Spain?")
    assert "Spain has" in chat.texts
    assert "Spain has" in chat.case.turns[-1].understood
    assert chat.answer() == before


def test_a_clue_that_is_switched_off_no_longer_counts(chat: Chat):
    chat.upload(("street.png", png()))
    chat.ask()
    assert chat.answer().country.code == "PT"
    chat.say("without clue 1")
    (clue,) = [one for one in chat.answer().evidence if one.type == "reading.language"]
    assert clue.left_out
    assert chat.answer().status == "not_locatable"
    assert len(chat.case.turns) == 2
    chat.page.session_state[f"views_{chat.case.id}_2"] = "Evidence"
    chat.look()
    chat.page.toggle[0].set_value(True)
    chat.look()
    chat.until_answered()
    assert chat.answer().country.code == "PT"
    assert chat.case.turns[-1].inquiry.left_out == ()


def test_a_case_opens_again_after_the_server_was_started_anew(chat: Chat):
    chat.upload(("street.png", png()))
    chat.ask()
    chat.say("not Lisbon")
    case = chat.case
    chat.start_server()
    chat.page.query_params["case"] = case.id
    chat.look()
    assert [one.value for one in chat.page.title] == ["street"]
    assert "not Lisbon" in chat.texts
    chat.say("not Portugal")
    assert [one.said for one in chat.case.turns] == ["", "not Lisbon", "not Portugal"]


def test_a_case_whose_server_ended_before_anything_was_asked_can_be_asked_about(chat: Chat):
    store = CaseStore.of(chat.settings, LOCAL)
    case = store.create("street")
    store.add_photo(case.id, png(), "street.png")
    chat.page.query_params["case"] = case.id
    chat.look()
    chat.page.button(key="ask_now").click()
    chat.look()
    chat.until_answered()
    assert chat.answer().country.code == "PT"


def test_the_tabs_stay_the_same_tabs_while_a_person_goes_from_one_to_another(chat: Chat):
    chat.upload(("street.png", png()))
    chat.ask()
    first = chat.page.session_state["first_view"]
    for view in ("Evidence", "Trace"):
        chat.page.session_state[f"views_{chat.case.id}_1"] = view
        chat.look()
        assert chat.page.session_state["open_view"] == view
        assert chat.page.session_state["first_view"] == first
    chat.say("not Lisbon")
    assert chat.page.session_state["first_view"] != first  # another answer has tabs of its own


def test_a_broken_file_is_told_in_words_and_the_others_go_on(chat: Chat):
    page = chat.upload(("song.png", b"ID3" + b"x" * 500), ("street.png", png()))
    assert [one.value.splitlines()[0].strip() for one in page.error] == [
        "**Wanted:** a photo \\(JPEG, PNG, WebP, HEIC, TIFF or GIF\\)"
    ]
    assert "song" in page.error[0].value
    chat.ask()
    assert [photo.name for photo in chat.case.photos] == ["street.png"]


def test_a_photo_of_too_many_pixels_is_told_in_words(chat: Chat):
    header = bytearray(png())
    header[16:24] = (20_000).to_bytes(4, "big") * 2  # IHDR says 400 megapixels
    import zlib

    header[29:33] = zlib.crc32(bytes(header[12:29])).to_bytes(4, "big")
    page = chat.upload(("wall.png", bytes(header)))
    assert "megapixels" in page.error[0].value
    assert page.button(key="find_place").disabled


def test_a_photo_is_turned_before_it_is_looked_at(chat: Chat):
    chat.upload(("street.png", png(size=(60, 40))))
    turns(chat.page)[0].set_value(90)
    chat.ask()
    assert chat.case.photos[0].edit.rotate_deg == 90
    assert chat.answer().photo.size == (40, 60)


def test_a_photo_that_seems_to_lie_is_turned_and_can_be_turned_back(chat: Chat):
    page = chat.upload(("street.jpg", lying_street()))
    words = (
        "street.jpg is rotated by 90 degrees, for it seemed to lie on its side. If it stood upright, choose 0 there."
    )
    assert page.info[0].value.replace("\\", "") == words
    assert turns(page)[0].value == 90
    turns(page)[0].set_value(180)
    assert not chat.look().info  # a person chose that
    turns(page)[0].set_value(0)
    chat.ask()
    assert chat.case.photos[0].edit == Edit()
    assert chat.answer().photo.edits == ()


def test_the_turn_is_told_beside_a_file_that_cannot_be_read_and_not_of_a_photo_that_is_there_already(chat: Chat):
    chat.look()
    line = chat.page.chat_input[0]
    torn = png(100, (600, 400))[:-40]  # its header tells nothing of that
    for name, content in (("street.jpg", lying_street()), ("torn.png", torn)):
        line.upload(name, content)
    line.set_value("")
    chat.look()
    chat.until_answered()
    turned = "street.jpg is rotated by 90 degrees, for it seemed to lie on its side."
    assert chat.case.turns[0].understood == f"1 of 2 files could be read. {turned}"
    line = chat.page.chat_input[0]
    for name, content in (("again.jpg", lying_street()), ("more.png", png(50))):
        line.upload(name, content)
    line.set_value("")
    chat.look()
    chat.until_answered()
    assert chat.case.turns[1].understood == "1 more photo of the same scene."


def test_where_a_photo_is_taken_out_the_next_does_not_inherit_its_turn(chat: Chat):
    chat.upload(("lying.jpg", lying_street()), ("upright.png", png(size=(60, 40))))
    assert [one.value for one in turns(chat.page)] == [90, 0]
    chat.page.file_uploader[0].set_value([("upright.png", png(size=(60, 40)), "image/png")])
    chat.look()
    assert [one.value for one in turns(chat.page)] == [0]
    chat.ask()
    assert chat.case.photos[0].edit == Edit()


def test_the_same_photo_twice_has_two_forms(chat: Chat):
    chat.upload(("a.png", png()), ("b.png", png()))
    assert len(turns(chat.page)) == 2


def test_a_photo_that_lies_is_turned_in_the_line_too_and_the_chat_says_so(chat: Chat):
    chat.look()
    line = chat.page.chat_input[0]
    line.upload("street.jpg", lying_street())
    line.set_value("")
    chat.look()
    chat.until_answered()
    assert chat.case.photos[0].edit == Edit(rotate_deg=90, detected=True)
    assert chat.answer().photo.edits == ("rotated by 90 degrees",)
    assert "street.jpg is rotated by 90 degrees, for it seemed to lie on its side." in chat.texts.replace("\\", "")


def test_photos_dropped_into_the_line_make_a_case_and_more_join_it(chat: Chat):
    chat.look()
    line = chat.page.chat_input[0]
    line.upload("one.png", png(100))
    line.set_value("in Portugal")
    chat.look()
    chat.until_answered()
    assert [one.text for one in chat.case.inquiry.statements] == ["in Portugal"]
    line = chat.page.chat_input[0]
    line.upload("two.png", png(200))
    line.set_value("")
    chat.look()
    chat.until_answered()
    assert [photo.name for photo in chat.case.photos] == ["one.png", "two.png"]
    assert len(chat.answer().photos) == 2


def test_words_without_a_photo_ask_for_one(chat: Chat):
    chat.look()
    chat.page.chat_input[0].set_value("in Portugal")
    chat.look()
    assert CaseStore.of(chat.settings, LOCAL).list() == []
    assert "Give a photo first" in chat.texts


def test_a_stopped_run_can_be_gone_on_with_and_does_not_begin_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    gate, entered, read = threading.Event(), threading.Event(), []

    def metadata(scene) -> Finding:
        """Read the file."""
        read.append("metadata")
        return scenes.metadata(scene)

    def read_text(scene) -> Finding:
        """Read the signs."""
        entered.set()
        gate.wait(60)
        return scenes.read_text(scene)

    chat = Chat(tmp_path, monkeypatch, metadata=metadata, read_text=read_text)
    chat.upload(("street.png", png()))
    chat.page.button(key="find_place").click()
    chat.look()
    assert entered.wait(60)
    chat.look()
    assert chat.page.chat_input[0].disabled
    chat.page.button(key="stop_run").click()
    chat.look()
    assert chat.page.status[0].label == "Stopping after this step"
    gate.set()
    chat.until_answered()
    assert any("Stopped after" in one.value for one in chat.page.info)
    assert not chat.case.turns[-1].finished
    chat.page.button(key="resume_run").click()
    chat.look()
    chat.until_answered()
    assert chat.answer().country.code == "PT"
    assert read == ["metadata"]


def test_a_failure_inside_is_told_without_its_text_and_the_case_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    chat = Chat(tmp_path, monkeypatch)
    monkeypatch.setattr(chat.server.agent, "session", lambda *_, **__: 1 / 0)
    chat.upload(("street.png", png()))
    chat.ask()
    assert "ZeroDivisionError" in chat.page.error[0].value
    assert "division by zero" not in chat.page.error[0].value
    monkeypatch.undo()
    chat.monkeypatch.setattr(shared, "_made", lambda *_: chat.server)
    config.set_option("server.address", "127.0.0.1")
    chat.page.button(key="resume_run").click()
    chat.look()
    chat.until_answered()
    assert chat.answer().country.code == "PT"


def test_a_case_is_renamed_exported_and_really_deleted(chat: Chat, tmp_path: Path):
    chat.upload(("street.png", png()))
    chat.ask()
    case = chat.case
    chat.page.text_input(key=f"name_{case.id}").set_value("<b>Harbour</b>")
    chat.page.button(key=f"save_name_{case.id}").click()
    chat.look()
    assert chat.case.name == "<b>Harbour</b>"
    assert [one.value for one in chat.page.title] == [r"\<b\>Harbour\<\/b\>"]
    assert chat.page.button(key=f"delete_{case.id}").disabled
    chat.page.checkbox(key=f"sure_{case.id}").check()
    chat.look()
    chat.page.button(key=f"delete_{case.id}").click()
    chat.look()
    assert [one.value for one in chat.page.title] == ["Where was this photo taken?"]
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_who_knows_the_address_of_another_person_s_case_sees_nothing_of_it(chat: Chat):
    chat.upload(("street.png", png()))
    chat.ask()
    case = chat.case
    other = AppTest.from_file(str(ROOT / "ui" / "chat.py"), default_timeout=30)
    chat.monkeypatch.setattr("geosleuth.ui.page.app._owner", lambda: "https://login.example\n43")
    other.query_params["case"] = case.id
    other.run()
    assert [one.value for one in other.title] == ["Where was this photo taken?"]
    assert len(other.error) == 1
    assert "street" not in "".join(one.value for one in [*other.markdown, *other.error, *other.caption])
    assert [one.key for one in other.button if one.key.startswith("open_")] == []


def test_nothing_is_shown_before_the_login(chat: Chat):
    chat.monkeypatch.setattr("geosleuth.ui.page.app._owner", lambda: None)
    page = chat.look()
    assert [one.value for one in page.title] == ["geosleuth"]
    assert [one.key for one in page.button] == ["log_in"]
    assert len(page.chat_input) == len(page.file_uploader) == len(page.sidebar) == 0


def test_a_server_that_others_reach_refuses_in_words(chat: Chat):
    config.set_option("server.address", "0.0.0.0")  # noqa: S104
    page = chat.look()
    assert "no login" in page.error[0].value
    assert len(page.chat_input) == len(page.file_uploader) == 0


def test_an_earlier_answer_is_told_no_finer_than_a_cap_that_was_set_since(chat: Chat):
    from geosleuth.ui.page.conversation import _summary

    chat.upload(("street.png", png()))
    chat.ask()
    turn = chat.case.turns[0].model_copy(update={"place": "Porto, Portugal", "country": "Portugal"})
    assert _summary(turn, None) == r"**Porto, Portugal** (localized)"
    assert _summary(turn, 50.0) == "**Portugal** (localized)"
    capped = turn.model_copy(update={"precision_cap_km": 50.0})
    assert _summary(capped, 50.0) == "**Porto, Portugal** (localized)"
    assert _summary(capped, 200.0) == "**Portugal** (localized)"


def test_thumbnails_and_previews_are_small():
    from geosleuth.indexes.photo import load_photo
    from geosleuth.ui.page.photos import edit_of, preview, thumbnail

    assert thumbnail(load_photo(np.zeros((400, 800, 3), np.uint8)), 240).shape == (120, 240, 3)
    turned = preview(png(size=(1000, 500)), "street.png", edit_of(90, (0, 100), (0, 50)))
    assert turned.shape == (480, 480, 3)  # 500 x 1000 after the turn, its upper half, at 480
