"""Photos to load geosleuth with: the synthetic street scene that it draws itself, in parts, no two files alike.

Drawing and encoding a photo of 12 megapixels takes longer than the load would: a few are encoded, and each file is one
of them with a comment of its own, so that neither a hash nor a cache takes two for one.
"""

from __future__ import annotations

import io
from collections.abc import Iterator

from PIL import Image

_DIFFERENT = 12  # pictures; the files beyond differ in their comment alone


def drawn(count: int, size: tuple[int, int] | None = None) -> Iterator[tuple[str, bytes]]:
    """Yield names and JPEG files; `size` in pixels (width, height), None leaves the parts of the scene as they are."""
    from geosleuth.ui.demo_scene import draw_scene

    scene = draw_scene()
    pictures = [_jpeg(scene, number, size) for number in range(min(count, _DIFFERENT))]
    for number in range(count):
        yield f"street-{number:05d}.jpg", commented(pictures[number % len(pictures)], f"number {number}")


def _jpeg(scene: Image.Image, number: int, size: tuple[int, int] | None) -> bytes:
    part = scene.crop((4 * number, 3 * number, scene.width - 2 * number, scene.height - number))
    if size is not None:
        part = part.resize(size, Image.Resampling.BICUBIC)
    file = io.BytesIO()
    part.save(file, "JPEG", quality=90)
    return file.getvalue()


def commented(jpeg: bytes, comment: str) -> bytes:
    """Put a comment segment right behind the start of the image."""
    text = comment.encode()
    return jpeg[:2] + b"\xff\xfe" + (len(text) + 2).to_bytes(2, "big") + text + jpeg[2:]
