"""The drawn verification: size, lines where the points are, a caption with the counts."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from geosleuth.tools.candidate import Verification
from geosleuth.tools.match_picture import draw_matches

GREY = np.full((600, 1600, 3), 128, np.uint8)


def verification(points: tuple[tuple[float, float, float, float], ...], inliers: int = 47) -> Verification:
    return Verification(verdict="match", reason="said so", matcher="none", inliers=inliers, matched=212, points=points)


def test_both_pictures_are_reduced_and_the_line_ends_at_the_points() -> None:
    small = np.full((300, 400, 3), 128, np.uint8)
    picture = draw_matches(GREY, small, verification(((400.0, 200.0, 100.0, 250.0),)))
    # 1600 x 600 is halved to 800 x 300, 400 x 300 stays; 12 between them, 64 for the caption
    assert picture.size == (800 + 12 + 400, 300 + 64)
    assert picture.getpixel((200, 100)) == (230, 159, 0)  # half of (400, 200)
    assert picture.getpixel((812 + 100, 250)) == (230, 159, 0)
    assert picture.getpixel((5, 295)) == (128, 128, 128)


def test_neighbouring_lines_have_different_colours_and_at_most_40_are_drawn() -> None:
    points = tuple((100.0, 15.0 * i, 100.0, 15.0 * i) for i in range(41))
    picture = draw_matches(GREY, GREY, verification(points))
    ends = [picture.getpixel((50, round(7.5 * i))) for i in range(1, 40)]
    assert len(set(ends)) == 4
    assert all(a != b for a, b in pairwise(ends))
    assert picture.getpixel((50, 299)) == (128, 128, 128)  # the 41st


def test_the_caption_is_inside_and_dark_on_white_whatever_the_names() -> None:
    said = verification(())
    for name in ("lund_07.jpg", "Пушкин " * 40, "a\n\u202eb", ""):
        picture = np.asarray(draw_matches(GREY, GREY, said, query_name=name, reference_name=name))
        caption = picture[300:]
        assert (caption < 100).any()
        assert (caption[:, -4:] == 255).all()


def test_without_points_the_pictures_stand_side_by_side() -> None:
    said = Verification(verdict="not_applicable", reason="from above", matcher="none")
    picture = np.asarray(draw_matches(GREY, GREY, said))
    assert (picture[:300, :800] == 128).all()
