"""A server with a gallery: candidates beside the photo; and a case that outlives its server."""

import csv
import signal

import pytest
from PIL import Image
from typer.testing import CliRunner


@pytest.fixture(scope="module")
def gallery_chat(chromium, server_type, scene, tmp_path_factory):
    """Return a chat whose gallery has two views of the drawn street, near Quimper, and one of something else."""
    from geosleuth.ui import cli

    folder = tmp_path_factory.mktemp("gallery-chat")
    with Image.open(scene.path) as drawn:
        drawn.crop((60, 20, 1280, 853)).save(folder / "right.jpg", quality=90)
        drawn.crop((0, 0, 1200, 800)).save(folder / "left.jpg", quality=90)
        drawn.crop((0, 600, 500, 853)).rotate(90, expand=True).save(folder / "road.jpg", quality=90)
    places = {"right.jpg": (47.9950, -4.1030), "left.jpg": (47.9951, -4.1031), "road.jpg": (38.7223, -9.1393)}
    with (folder / "labels.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "lat", "lon", "licence"])
        writer.writerows([name, lat, lon, "Apache-2.0"] for name, (lat, lon) in places.items())
    built = CliRunner().invoke(cli.app, ["index", "build", str(folder / "labels.csv"), "--out", str(folder / "index")])
    assert built.exit_code == 0, built.output
    settings = folder / "geosleuth.toml"
    settings.write_text(f'index = "{folder / "index"}"\n')
    server = server_type(folder, settings)
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def matched(gallery_chat, chromium, pages, scene):
    """Return the address of a case whose photo is found in the gallery."""
    opened = pages.Visits(chromium)
    try:
        page = opened.open(gallery_chat.url)
        page.ask_about(scene.path)
        page.wait_for_answer()
        page.settle()
        opened.check()
        return page.page.url
    finally:
        opened.close()


@pytest.mark.parametrize(("dark", "width"), [(False, 1280), (True, 1280), (False, 390), (True, 390)])
def test_candidates_stand_beside_the_photo(matched, visits, pages, dark, width):
    page = visits.open(matched, dark=dark, size=(width, 1800))
    page.wait_for_answer()
    page.show("Candidates")
    first = page.main.get_by_text("Candidate 1: match")
    pages.expect(first).to_be_visible()
    pages.expect(page.main.get_by_role("img", name="Photo 1 beside candidate 1: match")).to_be_visible()
    page.screenshot(f"candidates-{'dark' if dark else 'light'}-{width}")
    found = page.findings()
    assert not found, "\n".join(found)


def test_a_case_opens_again_after_its_server_was_killed(matched, gallery_chat, visits, pages):
    before = visits.open(matched)
    before.wait_for_answer()
    place = before.answer.inner_text()
    said = before.main.get_by_text("of the belief").first.inner_text()
    before.page.close()
    gallery_chat.stop(signal.SIGKILL)
    gallery_chat.start()
    page = visits.open(gallery_chat.url)
    page.page.get_by_role("button", name="drawn-street").click()
    page.wait_for_answer(place)
    pages.expect(page.main.get_by_text(said)).to_be_visible()
    page.settle()
    page.say("it is in Belgium")  # the loop's state has outlived the server too
    undo = page.main.get_by_role("button", name="Undo")
    pages.expect(undo).to_be_visible()
    page.settle()
    undo.click()
    pages.expect(undo).to_have_count(0)
    page.wait_for_answer(place)
    pages.expect(page.main.get_by_text(said)).to_be_visible()
