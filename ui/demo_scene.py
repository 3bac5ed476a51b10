"""A street scene that geosleuth draws itself, so that it can be tried with no photo at hand.

Everything in it is invented but the names of the towns. `python -m geosleuth.ui.demo_scene out/street-scene.jpg`
"""

from __future__ import annotations

import argparse
import random
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image, ImageDraw

WIDTH, HEIGHT = 1280, 853  # px; 3:2, as most cameras take
HORIZON = 520  # px from the top
# What the camera shows of a drawing: where its corners lie in it, upper left first, then down and round, as shares.
_LEANING = (0, 0.075, 0.011, 1, 0.992, 0.937, 0.997, 0)
NOTE = "This street scene is synthetic: geosleuth drew it. The shop, its telephone number and the street do not exist."
# Pillow's own font has ASCII letters only; French capitals often go without their accents on signs.
SHOP_SIGN = "BOULANGERIE DU MOULIN"
SHOP_LINES = ("PAINS - GATEAUX", "Ouvert du mardi au samedi")
# The French regulator keeps 02 61 91 for fiction, so that nobody's telephone rings.
TELEPHONE = "Tel. 02 61 91 00 42"
ROAD_SIGN = (("QUIMPER", "12"), ("CONCARNEAU", "9"))
STREET_SIGN = "RUE DU MOULIN"


def draw_scene() -> Image.Image:
    """Draw the scene, the same on every call."""
    from PIL import Image, ImageDraw, ImageFilter

    scene = Image.new("RGB", (WIDTH, HEIGHT))
    draw = ImageDraw.Draw(scene)
    _sky(draw)
    _road(draw)
    _houses(draw)
    scene = scene.filter(ImageFilter.GaussianBlur(1.0))  # walls are soft; the signs come after, and are sharp
    draw = ImageDraw.Draw(scene)
    _shop(draw)
    _road_sign(draw)
    return photographed(scene)


def photographed(drawing: Image.Image) -> Image.Image:
    """Return a drawing as a hand-held camera sees it: writing on the level grid of pixels is taken for a caption."""
    from PIL import Image, ImageFilter

    corners = tuple(round(share * side, 2) for share, side in zip(_LEANING, drawing.size * 4, strict=True))
    seen = drawing.transform(drawing.size, Image.Transform.QUAD, corners, Image.Resampling.BICUBIC)
    return _grain(seen.filter(ImageFilter.GaussianBlur(0.7)))


def _sky(draw: ImageDraw.ImageDraw) -> None:
    for y in range(HORIZON):
        share = y / HORIZON
        draw.line([(0, y), (WIDTH, y)], fill=(int(120 + 90 * share), int(165 + 55 * share), int(215 + 20 * share)))
    for x, y, size in ((180, 110, 60), (250, 95, 80), (330, 120, 55), (800, 70, 60), (870, 85, 75)):
        draw.ellipse([x - size * 1.6, y - size / 2, x + size * 1.6, y + size / 2], fill=(226, 232, 240))


def _road(draw: ImageDraw.ImageDraw) -> None:
    draw.rectangle([0, HORIZON, WIDTH, HEIGHT], fill=(158, 154, 146))  # pavement
    draw.polygon([(575, HORIZON), (705, HORIZON), (1130, HEIGHT), (40, HEIGHT)], fill=(88, 88, 92))
    for step in range(7):  # dashes of the middle line grow towards the camera
        near, far = HORIZON + 8 + 7 * step**2, HORIZON + 12 + 7 * step**2 + 5 * step
        half = 1 + step
        draw.polygon(
            [(640 - half, near), (640 + half, near), (640 + half + 1, far), (640 - half - 1, far)], fill="white"
        )


def _houses(draw: ImageDraw.ImageDraw) -> None:
    walls = ((206, 190, 160), (188, 176, 158), (222, 212, 190), (198, 170, 140))
    # Left row recedes to the horizon; the last one on the right is the shop's house.
    for number, (left, right, top) in enumerate(((0, 230, 130), (230, 400, 235), (400, 510, 320), (510, 580, 385))):
        _house(draw, left, right, top, HORIZON + (right < 240) * 90 + (230 <= left < 400) * 45, walls[number])
    _house(draw, 705, 800, 350, HORIZON + 30, walls[1])
    _house(draw, 800, WIDTH, 60, HORIZON + 160, walls[2])


def _house(draw: ImageDraw.ImageDraw, left: int, right: int, top: int, bottom: int, wall: tuple[int, int, int]) -> None:
    draw.rectangle([left, top, right, bottom], fill=wall)
    draw.polygon([(left, top), (right, top), (right - 12, top - 34), (left + 12, top - 34)], fill=(74, 78, 88))  # slate
    wide = max(18, (right - left) // 6)
    for x in range(left + wide // 2, right - wide, wide * 2):
        for y in range(top + 24, min(bottom, HORIZON) - 150, 96):
            draw.rectangle([x, y, x + wide, y + 62], fill=(62, 74, 92), outline="white", width=3)


def _shop(draw: ImageDraw.ImageDraw) -> None:
    draw.rectangle([830, 300, 1270, 372], fill=(112, 28, 36))
    _centred(draw, (1050, 336), SHOP_SIGN, 32, (250, 240, 214))
    draw.rectangle([850, 384, 1110, 610], fill=(48, 58, 66), outline=(112, 28, 36), width=6)
    draw.rectangle([1130, 384, 1250, 680], fill=(96, 66, 44), outline=(60, 40, 28), width=6)
    for row, line in enumerate((*SHOP_LINES, TELEPHONE)):
        _centred(draw, (980, 420 + 44 * row), line, 20, (245, 245, 240))
    draw.rectangle([862, 246, 1078, 286], fill=(24, 62, 138), outline="white", width=2)
    _centred(draw, (970, 266), STREET_SIGN, 24, (255, 255, 255))


def _road_sign(draw: ImageDraw.ImageDraw) -> None:
    for x in (190, 460):
        draw.rectangle([x, 380, x + 10, 700], fill=(120, 124, 128))
    for row, (town, km) in enumerate(ROAD_SIGN):
        top = 300 + 78 * row
        draw.polygon(
            [(150, top), (490, top), (520, top + 34), (490, top + 68), (150, top + 68)], fill=(250, 250, 250), outline=0
        )
        _centred(draw, (295, top + 34), town, 36, (20, 20, 20))
        _centred(draw, (462, top + 34), km, 36, (20, 20, 20))


def _centred(
    draw: ImageDraw.ImageDraw, middle: tuple[int, int], text: str, size: int, ink: tuple[int, int, int]
) -> None:
    from PIL import ImageFont

    # A stroke of 1 px: Pillow's own font is a thin one, and signs are painted bold.
    draw.text(middle, text, font=ImageFont.load_default(size), fill=ink, anchor="mm", stroke_width=1)


def _grain(scene: Image.Image) -> Image.Image:
    """Add the noise of a sensor: a scene of flat colours is like no photo."""
    from PIL import Image, ImageChops

    dice = random.Random(0)  # noqa: S311 - grain, not secrets; the same scene on every machine
    half = (scene.width // 2, scene.height // 2)
    noise = Image.frombytes("L", half, dice.randbytes(half[0] * half[1]))
    grain = noise.point([value // 20 for value in range(256)]).resize(scene.size)
    return ImageChops.subtract(scene, Image.merge("RGB", (grain, grain, grain)))


def main(arguments: list[str] | None = None) -> None:
    """Write the scene to a file, and say that it is synthetic."""
    parser = argparse.ArgumentParser(prog="python -m geosleuth.ui.demo_scene", description=draw_scene.__doc__)
    parser.add_argument("path", type=Path, help="picture to write, .jpg or .png")
    path = parser.parse_args(arguments).path
    path.parent.mkdir(parents=True, exist_ok=True)
    draw_scene().save(path, quality=92)
    sys.stderr.write(f"No PHOTO was named. {NOTE}\nDrawn into {path}\n")


if __name__ == "__main__":
    main()
