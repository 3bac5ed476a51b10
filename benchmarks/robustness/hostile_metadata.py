"""Sound pictures with hostile metadata: EXIF in circles or of any size, XMP with entities, ICC that is none."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from hostile_bytes import Attack, flat_png, picture, png_block, xmp_packet

UNPACKED_MB = 200  # of a text of a PNG; Pillow unpacks 1 MB at most

Entry = tuple[int, int, int, int]  # tag, type, count, value or where it lies


def directory(*entries: Entry, following: int = 0) -> bytes:
    """One little-endian directory of EXIF, behind the header of eight bytes."""
    body = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return struct.pack("<H", len(entries)) + body + struct.pack("<I", following)


def exif_of(*entries: Entry, following: int = 0, rest: bytes = b"") -> bytes:
    """An EXIF block whose first directory has these entries."""
    return b"Exif\0\0II*\0" + struct.pack("<I", 8) + directory(*entries, following=following) + rest


def jpeg_with(*segments: tuple[int, bytes]) -> bytes:
    """A JPEG with these segments before all others: (marker, content)."""
    plain = picture("JPEG", exif=b"", xmp=b"")
    made = b"".join(b"\xff" + bytes([marker]) + struct.pack(">H", len(body) + 2) + body for marker, body in segments)
    return plain[:2] + made + plain[2:]


def exif_attacks() -> Iterator[Attack]:
    """EXIF that a picture must survive: it is read without it."""
    gps = ((1, 2, 2, 0x4E), (2, 5, 3, 500_000_000), (3, 2, 2, 0x45), (4, 5, 3, 0xFFFFFFFF))
    blocks = {
        "next directory is itself": exif_of((0x10F, 2, 4, 0), following=8),
        "camera directory is the first": exif_of((0x8769, 4, 1, 8)),
        "GPS directory is the first": exif_of((0x8825, 4, 1, 8)),
        "all directories are each other": exif_of((0x8769, 4, 1, 8), (0x8825, 4, 1, 8), (0xA005, 4, 1, 8)),
        "65,535 entries that are not there": b"Exif\0\0II*\0\x08\0\0\0\xff\xff",
        "5,000 entries": exif_of(*((tag, 3, 1, 1) for tag in range(5000))),
        "4,000 values that overlap": exif_of(*((tag, 7, 50_000, 0) for tag in range(4000))),
        "values of 4 GB": exif_of(*((tag, 7, 0xFFFFFFFF, 8) for tag in range(50))),
        "values beyond the end": exif_of((0x8825, 4, 1, 26), rest=directory(*gps)),
        "unknown types": exif_of(*((tag, tag, 1, 1) for tag in range(100))),
        "orientation 65,535": exif_of((0x112, 3, 1, 65535)),
        "orientation a text": exif_of((0x112, 2, 4, 0x363636)),
        "resolution over zero": exif_of((0x11A, 5, 1, 26), (0x128, 3, 1, 3), rest=bytes(8)),
        "a header and no more": b"Exif\0\0II*\0",
        "no header": b"Exif\0\0" + b"\xff" * 5000,
        "the order of another machine": b"Exif\0\0MM*\0" + exif_of((0x8825, 4, 1, 8))[10:],
        "BigTIFF": b"Exif\0\0II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0" + b"\xff" * 40,
    }
    for name, block in blocks.items():
        yield Attack(name, "EXIF", jpeg_with((0xE1, block[:65_000])), "photo")
    large = b"Exif\0\0II*\0" + b"\xff" * 60_000
    yield Attack("500 segments, 30 MB", "EXIF", jpeg_with(*[(0xE1, large)] * 500), "photo")
    yield Attack("600 segments", "EXIF", jpeg_with(*[(0xE1, large)] * 600), "refused")
    yield Attack("400,000 empty segments", "EXIF", jpeg_with(*[(0xE5, b"")] * 400_000), "refused")
    yield Attack("a comment of control characters", "EXIF", jpeg_with((0xFE, bytes(range(256)) * 200)), "photo")


def xmp_attacks() -> Iterator[Attack]:
    """XMP that a picture must survive."""
    laughs = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10))
    packets = {
        "ten to the nine laughs": f'<!DOCTYPE x [<!ENTITY l0 "ha">{laughs}]>'.encode() + xmp_packet(inner="&l9;"),
        "an entity of one large text": f'<!DOCTYPE x [<!ENTITY a "{"a" * 30_000}">]>'.encode()
        + xmp_packet(inner="<dc:description>" + "&a;" * 3000 + "</dc:description>"),
        "a file as an entity": b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
        + xmp_packet(inner="<dc:description>&a;</dc:description>"),
        "an address as a document type": b'<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">' + xmp_packet(),
        "100,000 elements inside each other": xmp_packet(inner="<dc:a>" * 4000 + "</dc:a>" * 4000),
        "a latitude of blanks": xmp_packet(f'exif:GPSLatitude="1{" " * 40_000}!" exif:GPSLongitude="1E"'),
        "a latitude of 30,000 digits": xmp_packet(f'exif:GPSLatitude="{"9" * 30_000}N" exif:GPSLongitude="1E"'),
        "a heading over 5,000 digits": xmp_packet(f'exif:GPSImgDirection="1/{"9" * 5000}"'),
        "a heading over 400 digits": xmp_packet(f'exif:GPSImgDirection="1/{"9" * 400}"'),
        "a program's name that steers": xmp_packet(f'xmp:CreatorTool="a\u202e\u009b2J{"x" * 30_000}"'),
        "half a packet": xmp_packet()[:-30],
        "no XML": bytes(range(256)) * 100,
        "UTF-16 with a document type": ('<!DOCTYPE x [<!ENTITY a "b">]>' + xmp_packet().decode()).encode("utf-16"),
    }
    head = b"http://ns.adobe.com/xap/1.0/\0"
    for name, packet in packets.items():
        yield Attack(name, "XMP", jpeg_with((0xE1, head + packet[:65_000])), "photo")
    for kind, suffix in (("PNG", ".png"), ("WebP", ".webp"), ("HEIC", ".heic"), ("TIFF", ".tif")):
        laughing = packets["ten to the nine laughs"]
        yield Attack(f"ten to the nine laughs in {kind}", "XMP", picture(kind, xmp=laughing), "photo", suffix)
    deep = xmp_packet(inner="<dc:a>" * 300_000 + "</dc:a>" * 300_000)
    yield Attack("300,000 elements inside each other in PNG", "XMP", picture("PNG", xmp=deep), "photo", ".png")


def icc_attacks() -> Iterator[Attack]:
    """Colour profiles, which geosleuth does not use."""
    head = b"ICC_PROFILE\0"
    yield Attack("number 0 of 0", "ICC", jpeg_with((0xE2, head + b"\0\0" + bytes(500))), "photo")
    yield Attack("number 1 of 255", "ICC", jpeg_with((0xE2, head + b"\x01\xff" + b"\xff" * 60_000)), "photo")
    yield Attack(
        "the same number 255 times", "ICC", jpeg_with(*[(0xE2, head + b"\x01\xff" + bytes(60_000))] * 255), "photo"
    )
    profile = struct.pack(">I", 0xFFFFFFFF) + b"lcms" + b"\xff" * 120 + struct.pack(">I", 0xFFFFFFFF)
    yield Attack("a profile of 4 GB in 132 bytes", "ICC", jpeg_with((0xE2, head + b"\x01\x01" + profile)), "photo")
    packed = zlib.compress(bytes(UNPACKED_MB << 20), 9)
    for name, block, expected in (
        ("iCCP that unpacks to much", png_block(b"iCCP", b"x\0\0" + packed), "refused"),
        ("zTXt that unpacks to much", png_block(b"zTXt", b"x\0\0" + packed), "either"),
        ("iTXt that unpacks to much", png_block(b"iTXt", b"x\0\x01\0\0\0" + packed), "either"),
        ("iCCP that is no zlib", png_block(b"iCCP", b"x\0\0" + b"\xff" * 500), "photo"),
        ("2,000 texts", b"".join(png_block(b"tEXt", b"k%d\0v" % i) for i in range(2000)), "photo"),
    ):
        yield Attack(name, "ICC and text of PNG", flat_png(40, 30, blocks=block), expected, ".png")  # type: ignore[arg-type]
