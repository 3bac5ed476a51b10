"""A grey photo of 400 by 300 with a white sign at (100, 100) to (180, 120), boxed by clue 1."""

from types import ModuleType
from typing import Any

import numpy as np
import pytest

from geosleuth.indexes.photo import Photo, load_photo
from geosleuth.ui.view.boxes import label_place
from geosleuth.ui.view.picture import MAX_SIDE_PX, caption, described, matched, photo_with_boxes, reduced

BOX = [[100.0, 100.0], [180.0, 100.0], [180.0, 120.0], [100.0, 120.0]]
ORANGE, SKY = (230, 159, 0), (86, 180, 233)


def grey(width: int = 400, height: int = 300) -> Photo:
    return load_photo(np.full((height, width, 3), 128, dtype=np.uint8), name="grey.png")


def one_sign(answers: ModuleType, **changes: Any) -> Any:
    sign = answers.evidence("A sign", 3.0) | {"id": "aa", "photo": 0, "support": [{"box": BOX, "text": "Café :red[x]"}]}
    photos = [{"name": "grey.png", "sha256": "0" * 64, "size": [400, 300]}]
    facts = {"photo": photos[0], "photos": photos, "evidence": [answers.evidence("Other", 9.0), sign]}
    return answers.answer(**(facts | changes))


def test_a_box_is_drawn_where_the_sign_is_and_nowhere_else(answers: ModuleType) -> None:
    drawn = np.asarray(photo_with_boxes(grey(), one_sign(answers))).astype(int)
    changed = np.argwhere((drawn != 128).any(axis=2))
    top, left = changed.min(axis=0)
    bottom, right = changed.max(axis=0)
    # The number stands above: 1.25 x 15 px high; lines of up to 3 px reach 2 px out of the box.
    assert (left, right, bottom) == pytest.approx((100, 180, 120), abs=3)
    assert top == pytest.approx(100 - 15 * 1.25 - 2, abs=2)
    line = drawn[120 - 3 : 120 + 4, 140]
    assert line.min() < 30  # two tones: seen on snow and at night
    assert line.max() > 230


def test_a_chosen_clue_stands_out(answers: ModuleType) -> None:
    def orange(**how: Any) -> int:
        pixels = np.asarray(photo_with_boxes(grey(), one_sign(answers), **how))
        return int((pixels == ORANGE).all(axis=2).sum())

    assert orange() == orange(chosen=("bb",)) == 0
    assert orange(chosen=("aa",)) > 2 * (80 + 20)  # at least its outline of one pixel


def test_boxes_of_another_photo_are_not_drawn(answers: ModuleType) -> None:
    drawn = np.asarray(photo_with_boxes(grey(), one_sign(answers), 1))
    assert (drawn == 128).all()


def test_matched_features_of_a_candidate(answers: ModuleType) -> None:
    points = answers.compared(1, "match")
    points["verification"]["points"] = [[300.0, 200.0, 1.0, 1.0]]
    answer = one_sign(answers, candidates=[points], evidence=[])
    drawn = photo_with_boxes(grey(), answer, candidate=answer.candidates[0])
    assert drawn.getpixel((300, 200)) == SKY
    assert drawn.getpixel((1, 1)) == (128, 128, 128)


def test_the_best_accepted_candidate_of_a_photo_has_its_features_shown(answers: ModuleType) -> None:
    candidates = [answers.compared(1, "no_match"), answers.compared(2, "match"), answers.compared(3, "match", photo=1)]
    answer = answers.answer(candidates=candidates)
    assert [one and one.rank for one in (matched(answer, 0), matched(answer, 1), matched(answer, 2))] == [2, 3, None]
    assert caption(answer, 0).endswith("No clue has a box in it. Dots are features that agree with candidate 2.")


def test_a_large_photo_is_reduced_with_its_boxes(answers: ModuleType) -> None:
    large = grey(4000, 2000)
    answer = one_sign(answers)
    drawn = photo_with_boxes(large, answer, chosen=("aa",))
    assert drawn.size == (MAX_SIDE_PX, 800)
    found = np.argwhere((np.asarray(drawn) == ORANGE).all(axis=2))
    assert found.min(axis=0) == pytest.approx(100 * 0.4, abs=6)  # the box's corner, times 1600 / 4000
    assert reduced(large)[1] == 0.4


def test_drawing_leaves_the_kept_picture_clean(answers: ModuleType) -> None:
    photo = grey()
    photo_with_boxes(photo, one_sign(answers))
    assert (np.asarray(reduced(photo)[0]) == 128).all()


def test_a_number_goes_where_there_is_room() -> None:
    box = [(100.0, 100.0), (180.0, 100.0), (180.0, 120.0), (100.0, 120.0)]
    own = (100.0, 100.0, 180.0, 120.0)
    assert label_place(box, (20, 15), (400, 300), [own]) == (100, 83, 120, 98)
    above = (90.0, 70.0, 200.0, 99.0)
    assert label_place(box, (20, 15), (400, 300), [own, above]) == (100, 122, 120, 137)
    below = (90.0, 121.0, 200.0, 150.0)
    assert label_place(box, (20, 15), (400, 300), [own, above, below]) == (78, 100, 98, 115)


def test_a_number_stays_in_the_picture() -> None:
    corner = [(0.0, 0.0), (40.0, 0.0), (40.0, 10.0), (0.0, 10.0)]
    assert label_place(corner, (20, 15), (400, 300), [(0.0, 0.0, 40.0, 10.0)]) == (0, 12, 20, 27)


def test_words_for_those_who_do_not_see_the_picture(answers: ModuleType) -> None:
    answer = one_sign(answers)
    # Clue 2, since "Other" is worth more bits; the box's middle (140, 110) is in the middle ninth of 400 x 300.
    assert described(answer, 0) == "The photo, with 1 numbered clues. 2: Café :red[x] (middle centre)"
    assert caption(answer, 0) == "Photo 1: grey.png. Boxes have the numbers of the clues."


def test_edits_are_told(answers: ModuleType) -> None:
    photos = [{"name": "g.png", "sha256": "0" * 64, "size": [4, 3], "edits": ["rotated by 90 degrees"]}]
    answer = answers.answer(photos=photos)
    assert caption(answer, 0) == "Photo 1: g.png (rotated by 90 degrees). No clue has a box in it."


def test_the_page_of_a_photo(answers: ModuleType, page: Any) -> None:
    def script(photo, answer):
        from geosleuth.ui.view.picture import show_photo

        show_photo(photo, answer, key="photo")

    shown = page(script, grey(), one_sign(answers))
    (pills,) = shown.get("button_group")
    assert pills.label == "Point out clue"
    assert [option.content for option in pills.proto.options] == ["2"]
    (image,) = shown.get("image")[0].proto.imgs
    assert image.caption == "Photo 1\\: grey\\.png\\. Boxes have the numbers of the clues\\."
    bare = page(script, grey(), None)
    assert not bare.get("button_group")
    assert len(bare.get("image")) == 1
