"""Small sound pictures of each format, with EXIF, GPS and XMP, and where their blocks begin, to be cut there."""

from __future__ import annotations

import io
import random
import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from PIL import Image

KINDS = ("JPEG", "PNG", "WebP", "HEIC", "TIFF", "GIF")
SUFFIXES = {"JPEG": ".jpg", "PNG": ".png", "WebP": ".webp", "HEIC": ".heic", "TIFF": ".tif", "GIF": ".gif"}
# "either": a photo or a refusal, where a decoder may fairly do one or the other (the last bytes are missing)
Expected = Literal["photo", "refused", "either"]
SIZE_PX = (96, 64)


@dataclass(frozen=True)
class Attack:
    """One hostile file, by its bytes."""

    name: str
    group: str  # a row of the table
    content: bytes
    expected: Expected
    suffix: str = ".jpg"


def exif_block() -> bytes:
    """An EXIF block with a position in the Gulf of Lion, invented."""
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x0112] = "Invented", "Camera 1", 1
    exif.get_ifd(0x8769)[0x9003] = "2024:06:01 12:30:00"
    gps = exif.get_ifd(0x8825)
    gps[1], gps[2], gps[3], gps[4] = "N", (42.0, 30.0, 15.0), "E", (4.0, 15.0, 30.0)
    return exif.tobytes()


def xmp_packet(attributes: str = 'exif:GPSLatitude="42,30.25N" exif:GPSLongitude="4,15.5E"', inner: str = "") -> bytes:
    """An XMP packet with these attributes and elements of its description."""
    names = {
        "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
        "exif": "http://ns.adobe.com/exif/1.0/",
        "xmp": "http://ns.adobe.com/xap/1.0/",
        "dc": "http://purl.org/dc/elements/1.1/",
    }
    spaces = " ".join(f'xmlns:{short}="{uri}"' for short, uri in names.items())
    return f"<rdf:RDF {spaces}><rdf:Description {attributes}>{inner}</rdf:Description></rdf:RDF>".encode()


def picture(kind: str, seed: int = 0, *, exif: bytes | None = None, xmp: bytes | None = None) -> bytes:
    """A sound picture of noise with metadata."""
    image = Image.frombytes("RGB", SIZE_PX, random.Random(seed).randbytes(3 * SIZE_PX[0] * SIZE_PX[1]))  # noqa: S311  no secret
    exif, xmp = exif_block() if exif is None else exif, xmp_packet() if xmp is None else xmp
    file = io.BytesIO()
    if kind == "HEIC":
        import pillow_heif

        pillow_heif.from_pillow(image).save(file, exif=exif, xmp=xmp, quality=60)
    elif kind == "GIF":
        image.quantize(64).save(file, kind)
    elif kind == "TIFF":
        image.save(file, kind, compression="tiff_lzw", tiffinfo={700: xmp})
    elif kind == "PNG":
        from PIL.PngImagePlugin import PngInfo

        info = PngInfo()
        info.add_itxt("XML:com.adobe.xmp", xmp.decode())
        image.save(file, kind, exif=exif, pnginfo=info)
    else:
        image.save(file, kind, exif=exif, xmp=xmp, quality=90)
    return file.getvalue()


def cuts(kind: str, content: bytes) -> list[int]:
    """Where a marker, block or box begins, and a byte further on: at each of them a file is cut off."""
    starts = {
        "JPEG": _jpeg_starts, "PNG": _png_starts, "WebP": _webp_starts,
        "HEIC": _heic_starts, "TIFF": _tiff_starts, "GIF": _gif_starts,
    }[kind](content)  # fmt: skip
    return sorted({cut for start in starts for cut in (start, start + 1) if 0 < cut < len(content)})


def _jpeg_starts(content: bytes) -> Iterator[int]:
    yield from (found.start() for found in re.finditer(rb"\xff[^\x00\xff]", content))


def _png_starts(content: bytes) -> Iterator[int]:
    at = 8
    while at + 8 <= len(content):
        yield from (at, at + 4, at + 8)
        at += 12 + int.from_bytes(content[at : at + 4], "big")


def _webp_starts(content: bytes) -> Iterator[int]:
    at = 12
    while at + 8 <= len(content):
        yield from (at, at + 4, at + 8)
        size = int.from_bytes(content[at + 4 : at + 8], "little")
        at += 8 + size + size % 2


def _heic_starts(content: bytes, at: int = 0, end: int | None = None) -> Iterator[int]:
    """Boxes of ISO/IEC 14496-12, those inside `meta` and `iprp` included."""
    end = len(content) if end is None else end
    while at + 8 <= end:
        size, name = int.from_bytes(content[at : at + 4], "big"), content[at + 4 : at + 8]
        yield from (at, at + 4, at + 8)
        if size < 8:
            return
        if name in (b"meta", b"iprp", b"ipco"):
            yield from _heic_starts(content, at + (12 if name == b"meta" else 8), at + size)
        at += size


def _tiff_starts(content: bytes) -> Iterator[int]:
    """The header, the directory, each of its entries, and what they point to."""
    (at,) = struct.unpack_from("<I", content, 4)
    (entries,) = struct.unpack_from("<H", content, at)
    yield from (4, at, at + 2 + 12 * entries)
    for i in range(entries):
        _, _, count, value = struct.unpack_from("<HHII", content, at + 2 + 12 * i)
        yield at + 2 + 12 * i
        if count > 4:
            yield value


def _gif_starts(content: bytes) -> Iterator[int]:
    at = 13 + (3 << (content[10] & 7) + 1 if content[10] & 0x80 else 0)
    yield from (6, 13, at)
    while at < len(content) and content[at] in b",!":
        yield at
        at += 11 if content[at] == 0x2C else 2
        while content[at]:
            yield at
            at += 1 + content[at]
        at += 1
    yield at


def png_block(name: bytes, data: bytes) -> bytes:
    """One block of a PNG, with its checksum."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def flat_png(width: int, height: int, *, bits: int = 8, colour: int = 2, blocks: bytes = b"") -> bytes:
    """A black PNG of any size, written row by row; some hundred KB for 200 MP."""
    samples = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    row = bytes(1 + (width * bits * samples + 7) // 8)
    packer = zlib.compressobj(6)
    data = b"".join([*(packer.compress(row) for _ in range(height)), packer.flush()])
    head = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + png_block(b"IHDR", head) + blocks + png_block(b"IDAT", data) + png_block(b"IEND", b"")
