"""Augmentation of a pair, with what joins its pictures kept: where north lies, and which way round the world is.

After Sample4Geo (Deuser et al. 2023). On each picture by itself: JPEG, colour, blur or sharpening, dropout. On both:
the world mirrored, and turned. A panorama's middle column looks north, a tile's upper edge lies north.

numpy and OpenCV, not torchvision.transforms.v2: on one core, for 384 x 768, JPEG takes 2.8 ms against 7.7, all of the
colour 0.1 against 25, blur 0.4 against 11, sharpening 0.5 against 11; and its classes draw from torch's global
generator, so a picture would depend on what was drawn before it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from geosleuth.indexes.gallery.reference import View
    from geosleuth.indexes.pixels import Pixels
    from geosleuth.training.gleam_c.config import AugmentConfig

# Sample4Geo's strengths, which are albumentations' own defaults but for the first two and the dropout.
_JPEG_QUALITY = (90, 100)
_COLOUR = 0.15  # brightness, contrast and saturation by this share; hue by this share of the circle
_BLUR_PX = (0.2, 1.0)  # standard deviation
_SHARPEN = (0.2, 0.5)  # share of the sharpened picture
_GRID_CELLS, _GRID_SHARE = 10, 0.4  # cells along the shorter side; share of a cell's edge that is black
_HOLES, _HOLE_SHARE = (10, 25), (0.1, 0.2)  # how many; edges as shares of the shorter side
_NORTH_UP: tuple[View, ...] = ("satellite", "map")
_LUMA = np.array([0.213, 0.715, 0.072])  # as W3C Filter Effects has it, after ITU-R BT.709


def augmented(
    query: Pixels,
    reference: Pixels,
    *,
    view: View,
    config: AugmentConfig,
    rng: np.random.Generator,
    reference_view: View = "satellite",
) -> tuple[Pixels, Pixels]:
    """Augment a pair of (h, w, 3) uint8 RGB; neither is changed in place, shapes stay.

    Turning by k x 90 degrees makes what lay in the direction k x 90 degrees (clockwise from north) the new north: tiles
    and maps are turned anticlockwise, panoramas rolled to the left. Ground and drone photos look anywhere: they stay.
    """
    query, reference = _alone(query, config, rng), _alone(reference, config, rng)
    if rng.random() < config.flip:
        query, reference = _mirrored(query), _mirrored(reference)
    if rng.random() < config.turn:
        quarters = int(rng.integers(1, 4))
        if not (_is_turnable(query, view) and _is_turnable(reference, reference_view)):
            quarters = 2  # a tile that is no square fits its input again only upside down
        query, reference = turned(query, view, quarters), turned(reference, reference_view, quarters)
    return query, reference


def turned(picture: Pixels, view: View, quarters: int) -> Pixels:
    """Turn the world of one picture by `quarters` x 90 degrees, as `augmented` says."""
    if view in _NORTH_UP:
        return np.ascontiguousarray(np.rot90(picture, quarters))
    if view == "panorama":
        return np.roll(picture, -round(quarters * picture.shape[1] / 4), axis=1)
    return picture


def _is_turnable(picture: Pixels, view: View) -> bool:
    return view not in _NORTH_UP or picture.shape[0] == picture.shape[1]


def _mirrored(picture: Pixels) -> Pixels:
    """Swap east and west; north stays, in the middle of a panorama as at the top of a tile."""
    import cv2

    return np.asarray(cv2.flip(picture, 1), np.uint8)


def _alone(picture: Pixels, config: AugmentConfig, rng: np.random.Generator) -> Pixels:
    if rng.random() < config.jpeg:
        picture = _through_jpeg(picture, int(rng.integers(_JPEG_QUALITY[0], _JPEG_QUALITY[1] + 1)))
    if rng.random() < config.colour:
        picture = recoloured(picture, *rng.uniform(-_COLOUR, _COLOUR, 4).tolist())
    if rng.random() < config.blur_or_sharpen:
        picture = _blurred(picture, rng) if rng.random() < 0.5 else _sharpened(picture, rng)
    if rng.random() < config.dropout:
        picture = _with_grid(picture, rng) if rng.random() < 0.5 else _with_holes(picture, rng)
    return picture


def _through_jpeg(picture: Pixels, quality: int) -> Pixels:
    import cv2

    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    _, content = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = np.asarray(cv2.imdecode(content, cv2.IMREAD_COLOR), np.uint8)
    return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), np.uint8)


def recoloured(picture: Pixels, brightness: float, contrast: float, saturation: float, hue: float) -> Pixels:
    """Change brightness, contrast and saturation by shares (0.1: a tenth more), hue by a share of the circle.

    All four are affine in RGB, hue being turned about the grey axis with luma kept (W3C Filter Effects, hue-rotate):
    one matrix, one pass, rounded and clipped once.
    """
    import cv2

    luma = np.tile(_LUMA, (3, 1))  # each channel becomes the luma
    angle = 2 * np.pi * hue
    turn = luma + np.cos(angle) * (np.eye(3) - luma) + np.sin(angle) * _QUARTER
    saturate = luma + (1 + saturation) * (np.eye(3) - luma)
    linear = (1 + contrast) * (1 + brightness) * (turn @ saturate)
    mean = float(_LUMA @ np.asarray(cv2.mean(picture)[:3])) * (1 + brightness)
    matrix = np.column_stack([linear, np.full(3, -contrast * mean)]).astype(np.float32)
    return np.asarray(cv2.transform(picture, matrix), np.uint8)


# W3C's matrix of the sine: a turn of the hue by a quarter of the circle, less the luma's part.
_QUARTER = np.array([[-0.213, -0.715, 0.928], [0.143, 0.140, -0.283], [-0.787, 0.715, 0.072]])


def _blurred(picture: Pixels, rng: np.random.Generator) -> Pixels:
    import cv2

    sigma_x, sigma_y = rng.uniform(*_BLUR_PX, 2).tolist()
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma_x, sigmaY=sigma_y), np.uint8)


def _sharpened(picture: Pixels, rng: np.random.Generator) -> Pixels:
    import cv2

    share = rng.uniform(*_SHARPEN)
    kernel = np.full((3, 3), -share, np.float32)
    kernel[1, 1] = 1 + 8 * share  # sums to 1
    return np.asarray(cv2.filter2D(picture, -1, kernel), np.uint8)


def _with_grid(picture: Pixels, rng: np.random.Generator) -> Pixels:
    height, width = picture.shape[:2]
    cell = max(2, min(height, width) // _GRID_CELLS)
    top, left = rng.integers(0, cell, 2)
    rows = (np.arange(height) + top) % cell < round(_GRID_SHARE * cell)
    columns = (np.arange(width) + left) % cell < round(_GRID_SHARE * cell)
    return np.where((rows[:, None] & columns)[..., None], np.uint8(0), picture)


def _with_holes(picture: Pixels, rng: np.random.Generator) -> Pixels:
    height, width = picture.shape[:2]
    picture = picture.copy()
    count = int(rng.integers(_HOLES[0], _HOLES[1] + 1))
    sides = (rng.uniform(*_HOLE_SHARE, (count, 2)) * min(height, width)).astype(int)
    for (tall, wide), (row, column) in zip(sides.tolist(), rng.random((count, 2)).tolist(), strict=True):
        top, left = int(row * (height - tall + 1)), int(column * (width - wide + 1))
        picture[top : top + tall, left : left + wide] = 0
    return picture
