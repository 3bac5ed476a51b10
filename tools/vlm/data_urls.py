"""Images as a server takes them: capped, JPEG, inside the request as data URLs. Nothing is fetched from anywhere."""

from __future__ import annotations

import base64
import binascii
import io
import math
from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, Any

from PIL import Image

from geosleuth.indexes.errors import InputError

if TYPE_CHECKING:
    from geosleuth.indexes.pixels import Pixels

# Street photos of 0.6 MP take 118 KB at 90 and lose nothing that a model could read (43 dB); 95 takes 160 KB.
_QUALITY = 90
_KEPT = 16  # encoded images of one photo's view; ten candidates, the photo, a few crops


def capped_size(size: tuple[int, int], max_pixels: int) -> tuple[int, int]:
    """(width, height) reduced, with the sides' ratio kept, to at most `max_pixels` pixels; never below 1."""
    width, height = size
    if width * height <= max_pixels:
        return size
    scale = math.sqrt(max_pixels / (width * height))
    shorter = max(1, math.floor(min(size) * scale))
    longer = min(math.floor(max(size) * scale), max_pixels // shorter)  # a side of 1 would leave too many
    return (longer, shorter) if width >= height else (shorter, longer)


class DataUrls:
    """One photo's images, each encoded once; safe for several threads."""

    def __init__(self, max_pixels: int) -> None:
        self._max_pixels = max_pixels
        self._urls: OrderedDict[int, tuple[Pixels, str]] = OrderedDict()  # the array is held: its id stays its own
        self._lock = Lock()

    def block(self, pixels: Pixels) -> dict[str, Any]:
        """Return the content block of an image, uint8 RGB (h, w, 3)."""
        with self._lock:
            if id(pixels) not in self._urls:
                self._urls[id(pixels)] = (pixels, self._encoded(Image.fromarray(pixels)))
                while len(self._urls) > _KEPT:
                    self._urls.popitem(last=False)
            self._urls.move_to_end(id(pixels))
            return _image_block(self._urls[id(pixels)][1])

    def recoded(self, block: dict[str, Any]) -> dict[str, Any]:
        """Return an image block of a conversation as the servers know it: capped, and its bytes inside it.

        Raises:
            InputError: The block points elsewhere, or holds no picture.
        """
        try:
            image = Image.open(io.BytesIO(base64.b64decode(_base64_of(block), validate=True)))
            image.draft("RGB", capped_size(image.size, self._max_pixels))
            return _image_block(self._encoded(image.convert("RGB")))
        except (OSError, ValueError, binascii.Error, Image.DecompressionBombError) as error:
            remedy = "Hand over images as base64 blocks, as the tools' findings do."
            raise InputError("an image inside the conversation", f"none that decodes ({error})", remedy) from error

    def _encoded(self, image: Image.Image) -> str:
        size = capped_size(image.size, self._max_pixels)
        if size != image.size:
            image = image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=_QUALITY, subsampling=0)  # coloured letters on signs stay sharp
        return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def is_image_block(block: object) -> bool:
    """Say whether a content block of a message is an image, in LangChain's or in OpenAI's form."""
    return isinstance(block, dict) and block.get("type") in ("image", "image_url")


def _image_block(url: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url}}


def _base64_of(block: dict[str, Any]) -> str:
    """The base64 text of LangChain's block {"base64"} or {"source_type", "data"}, or of a data URL."""
    for key in ("base64", "data"):
        if isinstance(block.get(key), str):
            return str(block[key])
    url = block.get("image_url", block.get("url", ""))
    url = url.get("url", "") if isinstance(url, dict) else url
    kind, comma, data = str(url).partition(",")
    if not comma or not (kind.startswith("data:image/") and kind.endswith(";base64")):
        raise ValueError("its address is no data URL")
    return data
