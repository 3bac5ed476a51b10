import numpy as np
import pytest

from geosleuth.tools.vlm.pictures import Capped, Digests, capped, limited


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((300, 400), (300, 400)),  # 120,000 pixels: stays
        ((2000, 1000), (692, 346)),  # 240,000 / 2,000,000 = 0.12; its root 0.34641
        ((10, 20), (32, 32)),  # filled up to one token's side, not enlarged
        # At most 240,000 / 64² = 58.6 to one: filled up to 342 x 20,000; the root of 240,000 / 6,840,000 is 0.18732.
        ((40, 20_000), (64, 3746)),
        ((1, 1), (32, 32)),
    ],
)
def test_a_picture_is_capped(size, expected):
    found = capped(np.zeros((*size, 3), np.uint8), 240_000)
    assert found.shape == (*expected, 3)
    assert found.shape[0] * found.shape[1] <= 240_000


def test_the_picture_stands_in_the_middle_of_what_is_filled_up():
    found = capped(np.full((10, 32, 3), 200, np.uint8), 10_000)
    assert found[:11].max() == found[21:].min() == 127
    assert found[11:21].min() == 200


def test_a_capped_picture_is_the_same_object_each_time():
    keep = Capped(10_000)
    photo = np.random.default_rng(0).integers(0, 255, (300, 300, 3), np.uint8)
    first = keep.of(photo)
    assert keep.of(photo.copy()) is first
    photo[0, 0] = 255 - photo[0, 0]
    assert keep.of(photo) is not first


def test_a_digest_tells_content_and_shape():
    digests = Digests()
    zeros = np.zeros((4, 6, 3), np.uint8)
    assert digests.of(zeros) == digests.of(zeros.copy())
    assert digests.of(zeros) != digests.of(np.zeros((6, 4, 3), np.uint8))
    frozen = np.zeros((4, 6, 3), np.uint8)
    frozen.flags.writeable = False
    assert digests.of(frozen) == digests.of(frozen) == digests.of(zeros)
    zeros[0, 0, 0] = 1
    assert digests.of(zeros) != digests.of(frozen)


def test_a_processor_neither_passes_the_cap_nor_enlarges_beyond_it(tiny_models):
    from transformers import AutoProcessor

    processor = AutoProcessor.from_pretrained(tiny_models.tiny_qwen3_vl())
    ours = limited(processor, 20_000)
    assert dict(ours.image_processor.size) == {"shortest_edge": 5_000, "longest_edge": 20_000}
    assert dict(processor.image_processor.size)["shortest_edge"] == 65_536  # the one that all share is as it was


@pytest.mark.parametrize("max_pixels", [3_136, 20_000, 240_000])
@pytest.mark.parametrize("kind", ["tiny_qwen", "tiny_qwen3_vl"])
def test_no_picture_is_more_tokens_than_the_cap(tiny_models, kind, max_pixels):
    from transformers import AutoProcessor

    pictures = limited(AutoProcessor.from_pretrained(getattr(tiny_models, kind)()), max_pixels).image_processor
    for size in ((1, 1), (5, 900), (30, 30), (40, 20_000), (20_000, 200), (384, 768), (500, 31), (99, 101)):
        small = capped(np.zeros((*size, 3), np.uint8), max_pixels)
        grid = pictures([small], return_tensors="pt")["image_grid_thw"]
        assert 0 < int(grid.prod()) * pictures.patch_size**2 <= max_pixels, size


def test_a_processor_of_one_size_stays(tiny_models):
    from transformers import AutoProcessor

    processor = AutoProcessor.from_pretrained(tiny_models.tiny_llava())
    assert limited(processor, 1_000) is processor
