"""Files that are large, broken, or no photo: told in words."""

import numpy as np
import pytest
from PIL import Image

LARGE_BYTES = 40_000_000


@pytest.fixture(scope="module")
def large(tmp_path_factory, scene):
    """Write the drawn street, enlarged and noisy, without compression: 16 megapixels, over 40 MB."""
    with Image.open(scene.path) as drawn:
        pixels = np.asarray(drawn.resize((4608, 3072))).copy()
    pixels += np.random.default_rng(0).integers(0, 4, pixels.shape, dtype=np.uint8)
    path = tmp_path_factory.mktemp("large") / "large.png"
    Image.fromarray(pixels).save(path, compress_level=0)
    assert path.stat().st_size > LARGE_BYTES
    return path


def test_a_photo_of_40_mb_is_answered(chat, visits, pages, scene, large):
    page = visits.open(chat.url)
    page.ask_about(large)
    page.wait_for_answer(scene.country)


def test_a_broken_file_is_told_and_the_other_photo_goes_on(chat, visits, pages, scene, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff\xe0" + bytes(2000))
    page = visits.open(chat.url)
    page.wait_for_new_case()
    page.uploader.locator("input[type=file]").set_input_files(broken)
    told = page.main.get_by_test_id("stAlert")
    pages.expect(told).to_be_visible()
    for word in ("Wanted:", "Found:", "Do:", "broken.jpg"):
        pages.expect(told).to_contain_text(word)
    pages.expect(page.find).to_be_disabled()
    page.uploader.locator("input[type=file]").set_input_files(scene.path)
    pages.expect(page.find).to_be_enabled()
    pages.expect(told).to_be_visible()  # still: one file of two is missing


def test_a_file_that_lost_its_end_is_told_after_the_question(chat, visits, pages, scene, tmp_path):
    cut = tmp_path / "cut.jpg"
    whole = scene.path.read_bytes()
    cut.write_bytes(whole[: len(whole) // 3])  # its header is right, so that only decoding finds it
    page = visits.open(chat.url)
    page.ask_about(cut)
    told = page.main.get_by_test_id("stAlert").or_(page.answer)
    pages.expect(told).to_be_visible()
    assert "Traceback" not in page.main.inner_text()
