"""A photo that harms its decoder, in the chat: it is refused in words, and everybody's cases go on."""

import io
from pathlib import Path

import pytest
from PIL import Image

from geosleuth.agent.agent import Agent
from geosleuth.agent.settings import Settings
from geosleuth.indexes import decoder_process, decoding_apart
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.photo_edit import Edit
from geosleuth.ui.page.new_case import add_photos
from geosleuth.ui.page.photos import Upload, preview, uploads_of
from geosleuth.ui.page.runs import Runs
from geosleuth.ui.page.server import Server
from geosleuth.ui.page.state import Page

BAD_DECODER = Path(__file__).parents[2] / "indexes" / "bad_decoder.py"


@pytest.fixture
def page(tmp_path, monkeypatch):
    monkeypatch.setenv("BEGUN", str(tmp_path / "begun"))
    monkeypatch.setattr(decoder_process, "_PROGRAM", (str(BAD_DECODER),))
    settings = Settings(cases_dir=tmp_path / "cases")
    server = Server(settings, Agent(settings), Runs(1))
    with decoding_apart.decoding_apart(1):
        yield Page(server, server.store("local"), "local")


def png(shade: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (60, 40), (shade, shade, shade)).save(file, "PNG")
    return file.getvalue()


def test_the_others_of_a_case_are_kept_and_can_be_looked_at(page):
    case = page.store.create("a street")
    files = [("a.png", png(1)), ("kills.png", png(2)), ("z.png", png(3))]
    case, refused = add_photos(page, case, [(Upload(name, content), Edit()) for name, content in files])
    assert [one.name for one in case.photos] == ["a.png", "z.png"]
    assert [error.found for error in refused] == ["one that the decoder died of 2 times, signal 9: kills.png"]
    assert [photo.pixels[0, 0, 0] for photo in page.store.photos(case)] == [1, 3]


def test_the_uploader_and_the_preview_say_it_too(page):
    for look in (lambda: uploads_of("kills.png", png(2)), lambda: preview(png(2), "kills.png", Edit())):
        with pytest.raises(InputError, match="died of 2 times, signal 9: kills"):
            look()
    assert preview(png(2), "a.png", Edit()).shape == (40, 60, 3)


def test_a_server_decodes_apart_before_it_has_seen_a_photo(page, monkeypatch):
    begun = []
    monkeypatch.setattr(decoding_apart, "decode_apart", lambda: begun.append(True))
    monkeypatch.setattr(Server, "warm_up", lambda _: None)
    page.server.begin_warm_up()
    assert begun == [True]
