"""Drawn scenes (synthetic) for the notebooks, so that they run with no photo at hand.

The towns are real, all else is invented. `draw_folder(Path("photos"))`, `draw_street(Path("street"))`.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from geosleuth.ui.demo_scene import draw_scene, photographed

SIGNS = {
    "bakery.jpg": ("PASTELARIA CENTRAL", "COIMBRA 12", "FIGUEIRA DA FOZ 34"),
    "second_camera/bakery.jpg": ("APOTHEKE AM MARKT", "REUTLINGEN 14", "SIGMARINGEN 46"),
}
KYOTO = (35.0116, 135.7681)
OPORTO = (41.1496, -8.6110)  # where the drawn street begins; its references lie 100 m apart
_GPS = 0x8825  # the EXIF block of a position


def draw_folder(folder: Path) -> Path:
    """Draw six files: three with signs, one with a position in its EXIF, one that shows nothing, one that is broken.

    Two of them have one name, in different folders, as photos of two cameras have.
    """
    folder.mkdir(parents=True, exist_ok=True)
    draw_scene().save(folder / "street.jpg", quality=92)
    for name, words in SIGNS.items():
        (folder / name).parent.mkdir(exist_ok=True)
        _wall(words).save(folder / name, quality=92)
    _wall(()).save(folder / "camera.jpg", quality=92, exif=_position(*KYOTO))
    _wall(()).save(folder / "wall.jpg", quality=92)
    whole = (folder / "street.jpg").read_bytes()
    (folder / "broken.jpg").write_bytes(whole[: len(whole) // 3])
    return folder


def draw_contradiction(path: Path) -> Path:
    """Draw the French street with an EXIF position in Kyoto: signs and file cannot both be right."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draw_scene().save(path, quality=92, exif=_position(*KYOTO))
    return path


def draw_street(folder: Path, references: int = 12) -> Path:
    """Draw the geotagged photos of a street, one every 100 m to the north."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(references):
        here = (OPORTO[0] + 0.0009 * number, OPORTO[1])
        _facade(number, shift=0).save(folder / f"{number:03d}.jpg", quality=92, exif=_position(*here))
    return folder


def draw_query(path: Path, number: int = 7, shift: int = 40) -> Path:
    """Draw one place of the street again, the camera a step further to the right, and no position in the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _facade(number, shift).save(path, quality=92)
    return path


def _wall(words: tuple[str, ...]) -> Image.Image:
    """A grey wall under a bright sky, with a board for each line."""
    picture = Image.new("RGB", (960, 640), (150, 146, 138))
    draw = ImageDraw.Draw(picture)
    draw.rectangle([0, 0, 960, 160], fill=(188, 208, 230))
    for row, text in enumerate(words):
        top = 190 + 130 * row
        draw.rectangle([130, top, 830, top + 100], fill=(250, 248, 240), outline=(30, 60, 110), width=6)
        draw.text(
            (480, top + 50), text, font=ImageFont.load_default(48), fill=(20, 20, 30), anchor="mm", stroke_width=1
        )
    return photographed(picture)


def _facade(seed: int, shift: int) -> Image.Image:
    """A house front of many shapes, different for each seed; `shift` px moves the camera."""
    dice = np.random.default_rng(seed)
    scene = np.full((480, 840, 3), 120, dtype=np.uint8)
    for _ in range(220):
        x, y = (int(value) for value in dice.integers(0, [840, 480]))
        wide, high = (int(value) for value in dice.integers(10, 80, 2))
        colour = tuple(int(value) for value in dice.integers(0, 255, 3))
        if dice.random() < 0.6:
            cv2.rectangle(scene, (x, y), (x + wide, y + high), colour, -1)
        else:
            cv2.circle(scene, (x, y), wide // 2, colour, -1)
    return Image.fromarray(np.ascontiguousarray(cv2.GaussianBlur(scene, (3, 3), 0)[:, shift : shift + 640]))


def _position(lat: float, lon: float) -> Image.Exif:
    exif = Image.Exif()
    gps = exif.get_ifd(_GPS)
    gps[1], gps[2] = "N" if lat >= 0 else "S", _degrees(lat)
    gps[3], gps[4] = "E" if lon >= 0 else "W", _degrees(lon)
    return exif


def _degrees(value: float) -> tuple[float, float, float]:
    minutes = abs(value) % 1 * 60
    return (float(int(abs(value))), float(int(minutes)), round(minutes % 1 * 60, 4))
