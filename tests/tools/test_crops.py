"""Crops of signs: where they are, that they are level, what is merged, and which come first."""

import cv2
import numpy as np
import pytest

from geosleuth.tools.crops import crop_signs, telling
from geosleuth.tools.textline import TextLine

WALL, SIGN, INK = 90, 200, 10


def line(left, top, width, height, *, angle=0.0, text="Luna", score=0.8, readable=True, script="Latn"):
    """A line whose upper left corner is given, turned about it by `angle` degrees clockwise."""
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    corners = [(0, 0), (width, 0), (width, height), (0, height)]
    box = tuple((float(left + x * cos - y * sin), float(top + x * sin + y * cos)) for x, y in corners)
    if not readable:
        text, score = "", 0.0
    recogniser = "ppocr" if readable else "none"
    return TextLine(
        text=text, box=box, script=script, script_confidence=0.9, score=score, recogniser=recogniser, readable=readable
    )


def wall(lines):
    """A photo in which each line is a bright board with a dark bar along its middle."""
    pixels = np.full((600, 800, 3), WALL, np.uint8)
    for one in lines:
        box = np.array(one.box)
        cv2.fillPoly(pixels, [box.round().astype(np.int32)], (SIGN,) * 3)
        ends = [((box[0] + box[3]) / 2).round().astype(int), ((box[1] + box[2]) / 2).round().astype(int)]
        cv2.line(pixels, tuple(map(int, ends[0])), tuple(map(int, ends[1])), (INK,) * 3, 3)
    return pixels


def test_a_crop_is_the_line_with_half_its_height_around():
    one = line(100, 200, 300, 80)
    (crop,) = crop_signs(wall([one]), [one])
    assert crop.pixels.shape == (160, 380, 3)  # 80 + 2 x 40, 300 + 2 x 40
    assert crop.pixels[45, 50, 0] == SIGN  # (x, y) = (110, 205) of the photo: inside
    assert crop.pixels[20, 50, 0] == WALL  # above the board
    assert crop.pixels[80, 200, 0] == INK
    assert crop.lines == (one,)


def test_a_crop_is_level_whatever_the_line_was():
    one = line(200, 150, 400, 70, angle=25)
    (crop,) = crop_signs(wall([one]), [one])
    assert crop.pixels.shape[:2] == pytest.approx((140, 470), abs=1)
    middle = crop.pixels[crop.pixels.shape[0] // 2, 60:410, 0]
    assert (middle < 60).all()  # the bar runs along one row
    assert (crop.pixels[10, :, 0] == WALL).all()


def test_a_small_line_is_enlarged_by_no_more_than_four():
    one, tiny = line(100, 100, 60, 12), line(500, 400, 20, 5)
    first, second = crop_signs(wall([one, tiny]), [one, tiny])
    assert first.pixels.shape == (64, 192, 3)  # 24 x 72 with its margin; 64 / 24 times
    assert second.pixels.shape == (40, 100, 3)  # 10 x 25; four times


def test_lines_of_one_sign_come_in_one_crop():
    lines = [line(100, 100, 300, 50, text="PADARIA"), line(100, 160, 200, 40, text="CENTRAL")]
    (crop,) = crop_signs(wall(lines), lines)
    assert [one.text for one in crop.lines] == ["PADARIA", "CENTRAL"]
    assert crop.pixels.shape == (145, 350, 3)  # y from 100 - 25 to 200 + 20, x from 75 to 425


def test_lines_far_apart_or_askew_stay_apart():
    far = [line(100, 100, 300, 50), line(100, 300, 300, 50)]
    assert len(crop_signs(wall(far), far)) == 2
    askew = [line(100, 100, 300, 50), line(150, 120, 300, 50, angle=40)]
    assert len(crop_signs(wall(askew), askew)) == 2


def test_a_thin_long_line_does_not_pull_in_the_wall():
    """A tall and a long line that touch at a corner: one crop would be mostly wall."""
    lines = [line(100, 100, 600, 30), line(100, 140, 30, 400)]
    assert len(crop_signs(wall(lines), lines)) == 2


def test_merging_reaches_lines_that_only_the_merged_crop_touches():
    lines = [line(100, 100, 300, 60), line(100, 172, 300, 60), line(100, 244, 300, 60)]
    (crop,) = crop_signs(wall(lines), lines)
    assert len(crop.lines) == 3


def test_the_most_telling_come_first_and_only_so_many():
    large, small, unsure = line(50, 50, 300, 80), line(50, 250, 100, 30), line(50, 400, 300, 80, score=0.05)
    unread = line(450, 400, 300, 60, readable=False, script="Grek")
    assert [telling(one) for one in (large, small, unsure, unread)] == pytest.approx([19200, 2400, 1200, 16200])
    lines = [small, unsure, unread, large]
    crops = crop_signs(wall(lines), lines)
    assert [crop.lines[0] for crop in crops] == [large, unread, small, unsure]
    assert len(crop_signs(wall(lines), lines, most=2)) == 2


def test_a_line_at_the_edge_or_without_area_does_no_harm():
    edge, flat = line(-10, -10, 200, 60), line(10, 10, 0, 0)
    (crop,) = crop_signs(wall([]), [edge, flat])
    assert crop.pixels.shape == (120, 260, 3)
    assert crop_signs(wall([]), []) == []
