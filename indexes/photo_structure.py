"""What a photo's file is made of, walked before a decoder sees it, which could be kept busy for hours.

Decoders look at every block, scan and page that a file names, however many; a few bytes each are enough to ask for one.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

# Blocks of metadata in a JPEG: 32 MB at 64 KB each. Panoramas and depth maps in extended XMP have some hundred. Pillow
# joins those of EXIF one by one, so that the time grows with their square: 512 take 2 s, 16,000 (1 GB) half an hour.
MOST_BLOCKS = 512
# Scans times megapixels, of which a picture counts as one at least: libjpeg passes over the whole of it for each scan.
# Optimisers write up to 64 scans, and the largest photo is of 220 MP. As many take 7 to 19 s of a core, by eight kinds
# of scans measured at 9 MP; the decoder has 60 s. Costlier ones hold data of their own, and a file's length bounds
# those: of noise, 29 s a gigabyte. A file of 1 MB can ask for 1,400 scans of 220 MP: four minutes.
MOST_SCANNED_MP = 64 * 220
# Of arithmetic coding, which no camera or optimiser writes: as many as above would take 76 s, these take 16.
MOST_SCANNED_MP_ARITHMETIC = 3000
# Blocks of a PNG: 1 GiB in blocks of 4 KB, half of what encoders write.
MOST_CHUNKS = 1 << 18
# Pages and frames are counted for a note to people; the picture is the first.
MOST_FRAMES = 1000
_MOST_STEPS = 1 << 22  # of a walk through a GIF: 1 GiB at 255 bytes a step, which is how encoders write
_MOST_PADDING = 1024  # bytes of a GIF that begin no block: Pillow looks at each, and at a gigabyte of them for minutes
# Strips or tiles of a TIFF, of which Pillow makes an object each: those of 1,000 x 1,000 tiles.
MOST_TILES = 1 << 20
_OFFSETS_OF_PARTS = (273, 324)  # StripOffsets, TileOffsets (TIFF 6.0)
_FIELD_TYPES = range(1, 19)  # 1 to 12 of TIFF 6.0, 13 of its supplement, 16 to 18 of BigTIFF

# Markers that stand for something: no stuffed zero, no fill byte, no restart (ITU-T T.81, B.1.1)
_MARKER = re.compile(rb"\xff([^\x00\x01\xd0-\xd8\xff])", re.DOTALL)
_END, _SCAN = 0xD9, 0xDA
_FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # SOF0 to SOF15 without DHT, JPG, DAC
_ARITHMETIC = frozenset(range(0xC9, 0xD0))  # SOF9 to SOF15
_ONE_PASS = (0xC0, 0xC1)  # sequential: decoders stop at the end of a scan that holds all components


def structure_fault(content: bytes, kind: str) -> str | None:
    """Say what in a file no camera writes and would keep a decoder busy; None where nothing does."""
    if kind == "JPEG":
        return _jpeg_fault(content)
    if kind == "PNG" and sum(1 for _ in png_chunks(content, MOST_CHUNKS + 1)) > MOST_CHUNKS:
        return f"a PNG of more than {MOST_CHUNKS:,} blocks"
    if kind == "GIF":
        return None if _begins_with_picture(content) else "a GIF without a picture near its beginning"
    return _tiff_fault(content) if kind == "TIFF" else None


def frame_count(content: bytes, kind: str) -> tuple[int, bool]:
    """Count the frames of a GIF or the pages of a TIFF, and say whether the file was walked to its end.

    `MOST_FRAMES` + 1 stands for any number above it. Fewer and not to the end: a GIF in very many small
    pieces, or with much between them that is none.
    """
    found = 0
    for is_one in _gif_frames(content) if kind == "GIF" else _tiff_pages(content):
        found += is_one
        if not is_one or found > MOST_FRAMES:
            return max(found, 1), False
    return max(found, 1), True


def frames_note(content: bytes, kind: str) -> str | None:
    """Say to people which of how many frames or pages the picture is; None where there is one alone."""
    found, whole = frame_count(content, kind)
    noun = "page" if kind == "TIFF" else "frame"
    if found > MOST_FRAMES:
        return f"first of more than {MOST_FRAMES:,} {noun}s"
    if whole:
        return f"first of {found} {noun}s" if found > 1 else None
    return f"first of at least {found} {noun}{'s' * (found > 1)}: the file was not looked through to its end"


def png_chunks(content: bytes, most: int = MOST_CHUNKS) -> Iterator[bytes]:
    """Yield the four letters of each block of a PNG, at most so many."""
    start = 8  # behind the signature: length, name, content, checksum of each block
    for _ in range(most):
        if start + 8 > len(content):
            return
        yield content[start + 4 : start + 8]
        start += 12 + int.from_bytes(content[start : start + 4], "big")


def _jpeg_fault(content: bytes) -> str | None:
    blocks = scans = components = 0
    megapixels, one_pass, most = 1.0, False, MOST_SCANNED_MP
    at = 2
    while found := _MARKER.search(content, at):
        marker, at = found[1][0], found.end()
        if marker == _END:
            break
        size = int.from_bytes(content[at : at + 2], "big")
        if marker in _FRAME_HEADERS and at + 8 <= len(content):
            height, width = struct.unpack_from(">HH", content, at + 3)
            megapixels = max(megapixels, width * height / 1e6)
            components, one_pass = content[at + 7], marker in _ONE_PASS
            most = min(most, MOST_SCANNED_MP_ARITHMETIC if marker in _ARITHMETIC else most)
        if marker == _SCAN:
            scans += 1
            if one_pass and content[at + 2 : at + 3] == bytes([components]):
                break  # the rest is not looked at
        else:
            blocks += 1
        if blocks > MOST_BLOCKS:
            return f"a JPEG of more than {MOST_BLOCKS} blocks"
        if scans * megapixels > most:
            return f"a JPEG of {scans} scans or more over {megapixels:.0f} megapixels"
        at += max(size, 2)
    return None


def _begins_with_picture(content: bytes) -> bool:
    return next(_gif_frames(content), False)


def _gif_frames(content: bytes) -> Iterator[bool]:
    """Yield True for each image of a GIF (GIF89a specification, section 15 on), False where the walk is given up."""
    at, steps, padding = 13 + _palette_bytes(content, 10), 0, 0
    while at < len(content) and steps < _MOST_STEPS:
        sign = content[at]
        if sign == 0x2C:  # an image: its place, perhaps a palette, the size of a code
            yield True
            at += 10 + _palette_bytes(content, at + 9) + 1
        elif sign == 0x21:  # an extension, and its label
            at += 2
        elif sign == 0x3B:  # its end
            return
        elif padding == _MOST_PADDING:
            break
        else:
            at, padding = at + 1, padding + 1
            continue
        while at < len(content) and content[at] and steps < _MOST_STEPS:  # parts of up to 255 bytes, then one of none
            at += 1 + content[at]
            steps += 1
        at += 1
        steps += 1
    if at < len(content):
        yield False


def _palette_bytes(content: bytes, at: int) -> int:
    flags = content[at] if at < len(content) else 0
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _tiff_fault(content: bytes) -> str | None:
    """Look at the first directory, the picture's own."""
    order, big = _tiff_form(content)
    for at in _tiff_directories(content):
        entries = _entry_count(content, at, order, big)
        if entries > 0xFFFF:  # what TIFF can have; BigTIFF has 64 bits for it
            return f"a TIFF of {entries:,} entries"
        step, first, counts = (20, 8, "HHQ") if big else (12, 2, "HHI")
        for i in range(entries):
            entry = at + first + i * step
            if entry + step > len(content):
                break
            tag, _, count = struct.unpack_from(order + counts, content, entry)
            if tag in _OFFSETS_OF_PARTS and count > MOST_TILES:
                return f"a TIFF in {count:,} parts"
        break
    return None


def _tiff_directories(content: bytes) -> Iterator[int]:
    """Yield where each directory begins; a chain that bites its tail ends there."""
    order, big = _tiff_form(content)
    seen: set[int] = set()
    at = _number(content, 8 if big else 4, order, big)
    while at and at not in seen and at + 2 <= len(content):
        seen.add(at)
        yield at
        entries = _entry_count(content, at, order, big)
        at = _number(content, at + (8 + 20 * entries if big else 2 + 12 * entries), order, big)


def _tiff_pages(content: bytes) -> Iterator[bool]:
    """Yield True for each directory until one that is none: where an offset leads nowhere, there is no page."""
    order, big = _tiff_form(content)
    head, step = (8, 20) if big else (2, 12)
    for at in _tiff_directories(content):
        entries = _entry_count(content, at, order, big)
        if not entries or at + head + step * entries > len(content):
            return
        (type_of_first,) = struct.unpack_from(f"{order}H", content, at + head + 2)
        if type_of_first not in _FIELD_TYPES:
            return
        yield True


def _tiff_form(content: bytes) -> tuple[str, bool]:
    """Byte order as `struct` has it, and whether offsets are of 64 bits."""
    return ("<" if content[:2] == b"II" else ">"), b"+" in content[2:4]


def _entry_count(content: bytes, at: int, order: str, big: bool) -> int:
    if big:
        return _number(content, at, order, big)
    return int(struct.unpack_from(f"{order}H", content, at)[0])


def _number(content: bytes, at: int, order: str, big: bool) -> int:
    """An offset; 0, which ends a chain, where the file ends before it does."""
    form = f"{order}{'Q' if big else 'I'}"
    return int(struct.unpack_from(form, content, at)[0]) if at + struct.calcsize(form) <= len(content) else 0
