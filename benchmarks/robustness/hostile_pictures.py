"""Pictures that lie: bombs, wrong sizes, pages and scans without number, two files in one, and files of other kinds."""

from __future__ import annotations

import io
import pickle
import random
import struct
import tarfile
import zipfile
from collections.abc import Iterator

from hostile_bytes import KINDS, SUFFIXES, Attack, cuts, flat_png, picture, png_block
from PIL import Image

MANY = 100_000  # frames, pages


def truncations() -> Iterator[Attack]:
    """Each format cut off at each of its markers, and a byte further on."""
    for kind in KINDS:
        content = picture(kind)
        places = cuts(kind, content)
        for at in places:
            # A decoder may do without the end mark, and a directory of a TIFF or HEIC may stand before the picture.
            late = at >= len(content) - 16 or (kind in ("TIFF", "HEIC") and at > len(content) * 0.9)
            name = f"{kind} cut at byte {at:,} of {len(content):,}"
            yield Attack(name, f"cut {kind}", content[:at], "either" if late else "refused", SUFFIXES[kind])


def flips(seed: int, each: int) -> Iterator[Attack]:
    """Each format with bytes changed at random, half of them in its head."""
    rng = random.Random(seed)  # noqa: S311  no secret
    for kind in KINDS:
        whole = picture(kind, seed)
        for i in range(each):
            content = bytearray(whole)
            end = len(content) if i % 2 else min(400, len(content))
            for _ in range(rng.randint(1, 8)):
                content[rng.randrange(end)] = rng.randrange(256)
            yield Attack(f"{kind} with changed bytes, {i}", f"changed {kind}", bytes(content), "either", SUFFIXES[kind])


def bombs() -> Iterator[Attack]:
    """Small files that would fill the memory or keep a decoder for minutes."""
    head = struct.pack(">IIBBBBB", 2_000_000_000, 2_000_000_000, 1, 0, 0, 0, 0)
    png = picture("PNG")
    yield Attack("PNG of 4e18 pixels", "bomb", _with_header(png, head), "refused", ".png")
    yield Attack("PNG of 400 MP, truly", "bomb", flat_png(20_000, 20_000, bits=1, colour=0), "refused", ".png")
    gif = (
        b"GIF89a"
        + struct.pack("<HH", 65535, 65535)
        + b"\0\0\0,"
        + struct.pack("<HHHH", 0, 0, 65535, 65535)
        + b"\0\2\0;"
    )
    yield Attack("GIF of 4,295 MP", "bomb", gif, "refused", ".gif")
    yield Attack("JPEG of 4,225 MP", "bomb", _sized_jpeg(65_000, 65_000), "refused")
    webp = bytearray(picture("WebP"))
    webp[24:30] = (16382).to_bytes(3, "little") * 2  # of VP8X: one less than the canvas
    yield Attack("WebP of 268 MP", "bomb", bytes(webp), "refused", ".webp")
    yield Attack("JPEG of 4,000 scans", "bomb", _scans(picture_side=2000, scans=4000), "refused")
    yield Attack("GIF of many frames", "bomb", _frames(MANY), "photo", ".gif")
    yield Attack("TIFF of many pages", "bomb", _pages(MANY), "photo", ".tif")
    yield Attack("TIFF whose pages go round", "bomb", _pages(3, circle=True), "photo", ".tif")
    yield Attack(
        "PNG of 300,000 blocks", "bomb", flat_png(8, 8, blocks=png_block(b"prVt", b"") * 300_000), "refused", ".png"
    )
    frames = png_block(b"acTL", struct.pack(">II", 0x7FFFFFFF, 0))
    yield Attack("animated PNG of 2e9 frames", "bomb", flat_png(8, 8, blocks=frames), "photo", ".png")
    yield Attack("TIFF of 2e9 strips", "bomb", _tiff_strips(2_000_000_000), "refused", ".tif")


def large() -> Iterator[Attack]:
    """Within the limits, and as heavy as they allow: for the column of memory."""
    yield Attack("PNG of 219 MP, 16 bits", "large", flat_png(14_800, 14_800, bits=16, colour=0), "photo", ".png")
    yield Attack("PNG of 219 MP, RGB", "large", flat_png(14_800, 14_800), "photo", ".png")
    yield Attack("PNG of 219 MP, RGBA", "large", flat_png(14_800, 14_800, colour=6), "photo", ".png")
    for name, size in (("79 MP", (8900, 8900)), ("178 MP", (16_383, 10_900))):
        file = io.BytesIO()
        Image.new("RGB", size).save(file, "WEBP", lossless=True, quality=0, method=0)
        yield Attack(f"WebP of {name}", "large", file.getvalue(), "photo" if size[0] == 8900 else "refused", ".webp")
    file = io.BytesIO()
    Image.new("P", (14_800, 14_800)).save(file, "GIF")
    yield Attack("GIF of 219 MP", "large", file.getvalue(), "photo", ".gif")


def lies() -> Iterator[Attack]:
    """A header whose size is not the picture's."""
    for width, height, expected in (
        (0, 0, "refused"),
        (96, 20_000, "either"),  # libjpeg fills what is missing
        (1, 1, "either"),
        (20_000, 64, "either"),
    ):
        yield Attack(f"JPEG said to be {width} x {height}", "wrong size", _sized_jpeg(width, height), expected)  # type: ignore[arg-type]
    for width, height in ((0, 5), (96, 20_000), (20_000, 64)):
        head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
        yield Attack(
            f"PNG said to be {width} x {height}", "wrong size", _with_header(picture("PNG"), head), "either", ".png"
        )
    heic = picture("HEIC")
    at = heic.index(b"ispe") + 8
    for width, height in ((0, 0), (60_000, 60_000), (97, 65)):
        content = heic[:at] + struct.pack(">II", width, height) + heic[at + 8 :]
        yield Attack(
            f"HEIC said to be {width} x {height}",
            "wrong size",
            content,
            "either" if width == 97 else "refused",
            ".heic",
        )


def polyglots() -> Iterator[Attack]:
    """Two files in one: the picture is taken, and nothing else."""
    zipped = _zip()
    jpeg, png = picture("JPEG"), picture("PNG")
    script = b"<script>alert(1)</script>"
    yield Attack("JPEG, then zip", "two in one", jpeg + zipped, "photo")
    yield Attack("PNG, then zip", "two in one", png + zipped, "photo", ".png")
    yield Attack("zip, then JPEG", "two in one", zipped + jpeg, "refused")
    yield Attack("PDF, then JPEG", "two in one", b"%PDF-1.7\n" + jpeg, "refused")
    yield Attack("JPEG with HTML in a comment", "two in one", jpeg[:2] + b"\xff\xfe\0\x1b" + script + jpeg[2:], "photo")
    yield Attack(
        "PNG with PHP in a text",
        "two in one",
        flat_png(40, 30, blocks=png_block(b"tEXt", b"c\0<?php system($_GET[0]);")),
        "photo",
        ".png",
    )
    yield Attack("GIF that is a script", "two in one", b"GIF89a/*\x2a\x2a/=1;alert(1)//" + bytes(20), "either", ".gif")
    yield Attack("PNG named .jpg", "two in one", png, "photo")
    yield Attack("JPEG, then another of 4,225 MP", "two in one", jpeg + _sized_jpeg(65_000, 65_000), "photo")


class _Touch:
    """Its pickle would run a program if anybody unpickled it; it only prints."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("unpickled",)


def disguises() -> Iterator[Attack]:
    """Files of other kinds under a photo's name."""
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo("../../photo.jpg"))
    others = {
        "zip": _zip(),
        "pickle": pickle.dumps(_Touch()),
        "pickle, protocol 0": pickle.dumps(_Touch(), 0),
        "tar": tar.getvalue(),
        "ELF program": b"\x7fELF\x02\x01\x01" + bytes(200),
        "script": b"#!/bin/sh\nrm -rf x\n",
        "HTML": b"<!DOCTYPE html><img src=x onerror=alert(1)>",
        "SVG with entities": b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]><svg>&a;</svg>',
        "EPS": b"%!PS-Adobe-3.0 EPSF-3.0\n(%pipe%id) (r) file\n",
        "playlist": b"#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\nfile:///etc/passwd\n",
        "ImageMagick script": b"push graphic-context\nfill 'url(https://127.0.0.1/x\"|id\")'\n",
        "SQLite": b"SQLite format 3\0" + bytes(84),
        "numpy with objects": b"\x93NUMPY\x01\0v\0{'descr': '|O', 'fortran_order': False, 'shape': (1,)}" + b" " * 60,
        "BMP": b"BM" + bytes(60),
        "icon": b"\0\0\1\0\1\0" + bytes(60),
        "JPEG 2000": b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(60),
        "AVIF": b"\0\0\0\x1cftypavif" + bytes(60),
        "video": b"\0\0\0\x18ftypmp42" + bytes(60),
        "zeros": bytes(5000),
    }
    for name, content in others.items():
        yield Attack(f"{name} named .jpg", "disguise", content, "refused")


def _zip() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../etc/cron.d/x", "* * * * * root id\n")
        archive.writestr("zeros", bytes(10 << 20))
    return file.getvalue()


def _with_header(png: bytes, head: bytes) -> bytes:
    return png[:8] + png_block(b"IHDR", head) + png[33:]


def _sized_jpeg(width: int, height: int) -> bytes:
    content = bytearray(picture("JPEG"))
    at = content.index(b"\xff\xc0")
    content[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(content)


def _scans(picture_side: int, scans: int) -> bytes:
    """A progressive JPEG whose last scan, a refinement that changes nothing, stands there many times."""
    file = io.BytesIO()
    Image.new("L", (picture_side, picture_side)).save(file, "JPEG", progressive=True)
    content = file.getvalue()
    return content[:-2] + content[content.rindex(b"\xff\xda") : -2] * scans + content[-2:]


def _frames(count: int) -> bytes:
    file = io.BytesIO()
    Image.new("L", (1, 1)).save(file, "GIF")
    content = file.getvalue()
    return content[:-1] + content[content.index(b",") : -1] * (count - 1) + b";"


def _pages(count: int, *, circle: bool = False) -> bytes:
    """A TIFF whose further pages are directories of three entries each, all of the same pixel."""
    file = io.BytesIO()
    Image.new("L", (1, 1)).save(file, "TIFF")
    first = file.getvalue()
    (at,) = struct.unpack_from("<I", first, 4)
    (entries,) = struct.unpack_from("<H", first, at)
    entry = at + 2 + 12 * entries
    page = first[at:entry]
    size = len(page) + 4
    start = len(first)
    last = at if circle else 0
    rest = b"".join(
        page + struct.pack("<I", start + size * (i + 1) if i < count - 2 else last) for i in range(count - 1)
    )
    return first[:entry] + struct.pack("<I", start) + first[entry + 4 :] + rest


def _tiff_strips(count: int) -> bytes:
    file = io.BytesIO()
    Image.new("L", (1, 1)).save(file, "TIFF")
    content = bytearray(file.getvalue())
    (at,) = struct.unpack_from("<I", content, 4)
    for entry in range(at + 2, at + 2 + 12 * 9, 12):
        if struct.unpack_from("<H", content, entry)[0] == 273:
            content[entry + 2 : entry + 8] = struct.pack("<HI", 4, count)
    return bytes(content)
