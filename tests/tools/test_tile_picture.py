"""Sheets of candidates: their size, where each picture stands, and that none is distorted."""

import numpy as np

from geosleuth.tools.tile_picture import draw_tiles


def filled(width, height, value):
    return np.full((height, width, 3), value, np.uint8)


def test_pictures_stand_in_rows_of_three_under_their_labels():
    sheet = draw_tiles([(str(i), filled(640, 480, 10 * i)) for i in range(1, 5)])
    assert sheet.size == (3 * 326 - 6, 2 * 274 - 6)  # 320 + 6 wide, 28 + 240 + 6 high
    for i, (left, top) in enumerate([(0, 0), (326, 0), (652, 0), (0, 274)], start=1):
        assert sheet.getpixel((left + 160, top + 28 + 120)) == (10 * i,) * 3
        label = np.asarray(sheet)[top : top + 28, left : left + 40]
        assert (label < 100).any()
    assert sheet.getpixel((500, 400)) == (255, 255, 255)  # no fifth


def test_a_picture_keeps_its_shape_and_a_small_one_its_size():
    sheet = np.asarray(draw_tiles([("1", filled(480, 960, 50)), ("2", filled(40, 30, 60))]))
    assert (sheet[28 : 28 + 240, :120] == 50).all()  # 480 x 960 fits as 120 x 240
    assert (sheet[28:, 121:320] == 255).all()
    assert (sheet[28:58, 326:366] == 60).all()
    assert (sheet[60:, 370:] == 255).all()
