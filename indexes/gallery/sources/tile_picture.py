"""The picture of a tile: small by nature, so a large one is an attack or a mistake."""

from __future__ import annotations

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.photo import Photo, open_photo

# Tiles are 256 or 512 pixels wide, those of high-density screens 1024. What is larger is no tile; and 2048 x 2048
# pixels are 17 MB in memory, so that no tile is a decompression bomb.
MAX_TILE_PX = 2048
MAX_TILE_BYTES = 16 << 20  # 2048 x 2048 pixels of noise as PNG are 12.6 MB
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
WANTED = "tiles that are pictures (PNG, JPEG or WebP)"


def open_tile(content: bytes, name: str) -> Photo:
    """Open a tile's header.

    Raises:
        InputError: It is no picture, damaged, or larger than tiles are.
    """
    if len(content) > MAX_TILE_BYTES:
        found = f"{len(content) / (1 << 20):.0f} MiB: {name}"
        raise InputError(f"a tile of at most {MAX_TILE_BYTES >> 20} MiB", found, "Make the tiles again.")
    if is_vector_tile(content):
        raise vector_tiles(name)
    photo = open_photo(content, name=name)
    if max(photo.original_size) > MAX_TILE_PX:
        found = "{} x {} pixels: {}".format(*photo.original_size, name)
        raise InputError(f"a tile of at most {MAX_TILE_PX} pixels a side", found, "Make the tiles again, smaller.")
    return photo


def is_vector_tile(content: bytes) -> bool:
    """Tell whether it is gzip, zlib or bare protocol buffers: Mapbox vector tiles begin with layer 3, wire type 2."""
    return content[:2] == b"\x1f\x8b" or content[:1] == b"\x1a" or content[:2] in (b"\x78\x9c", b"\x78\xda")


def vector_tiles(where: str) -> InputError:
    """The error for drawings that have yet to be rendered."""
    remedy = "Render them to pictures first (tileserver-gl or QGIS do), and give the result."
    return InputError(WANTED, f"vector tiles, which are no pictures: {where}", remedy)
