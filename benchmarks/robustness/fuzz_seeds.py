"""The first inputs of each target; the fuzzer makes the others of them."""

from __future__ import annotations

import json
from collections.abc import Iterator

from fuzz_targets import sound_index
from hostile_bytes import KINDS, exif_block, picture, xmp_packet
from hostile_metadata import exif_attacks, icc_attacks, xmp_attacks
from hostile_pictures import bombs, lies, polyglots

_LONGEST = 60_000  # bytes of a seed


def photos() -> Iterator[bytes]:
    """Sound pictures of all formats, and the small hostile ones."""
    yield from (picture(kind) for kind in KINDS)
    for attacks in (bombs(), lies(), polyglots(), icc_attacks()):
        yield from (one.content for one in attacks if len(one.content) < _LONGEST)


def exif_blocks() -> Iterator[bytes]:
    """EXIF blocks, sound and hostile."""
    yield exif_block()
    for attack in exif_attacks():
        at = attack.content.find(b"Exif\0\0")
        if at > 0 and len(attack.content) < _LONGEST:
            yield attack.content[at : at + 2000]


def xmp_packets() -> Iterator[bytes]:
    """XMP packets, sound and hostile."""
    yield xmp_packet()
    panorama = (
        'GPano:ProjectionType="equirectangular" xmlns:GPano="http://ns.google.com/photos/1.0/panorama/" '
        'GPano:PoseHeadingDegrees="350.5" exif:GPSImgDirection="123/4" exif:GPSImgDirectionRef="M"'
    )
    yield xmp_packet(panorama)
    for attack in xmp_attacks():
        at = attack.content.find(b"http://ns.adobe.com/xap/1.0/\0")
        if at > 0 and attack.suffix == ".jpg":
            yield attack.content[at + 29 : at + 4000]


def gps_blocks() -> Iterator[bytes]:
    """GPS blocks as JSON."""
    sound = {
        "1": "N",
        "2": [{"n": 42, "d": 1}, {"n": 30, "d": 1}, {"n": 1525, "d": 100}],
        "3": "E",
        "4": [{"n": 4, "d": 1}, {"n": 15, "d": 1}, {"n": 305, "d": 10}],
        "7": [{"n": 23, "d": 1}, 59, 60],
        "9": "V",
        "11": 2.5,
        "16": "M",
        "17": {"n": 3599, "d": 10},
        "27": "ASCIINETWORK",
        "29": "9999:12:31",
        "31": 12,
    }
    yield json.dumps(sound).encode()
    yield json.dumps({**sound, "2": "42.5", "4": "4,15,30", "1": None, "17": "1/0", "29": "2024:06:01"}).encode()


def indexes() -> Iterator[bytes]:
    """Each file of a sound index, behind its number."""
    manifest, files = sound_index()
    yield from (bytes([i]) + files[name] for i, name in enumerate(sorted(files)))
    fields = json.loads(manifest) | {"checksum": "0"}
    yield bytes([len(files)]) + json.dumps(fields, indent=1).encode()


def replies() -> Iterator[bytes]:
    """Replies of a planner."""
    call = '<tool_call>{"name": "submap", "arguments": {"share": 0.5}}</tool_call>'
    yield from (
        f"{mark}{text}".encode()
        for mark in "fcs"
        for text in (
            f"<think>Which one?</think>Narrow it. {call}",
            call + call,
            '<tool_call>{"name": "conclude", "arguments": {"words": "It is Portugal."}}</tool_call>',
            "I cannot help.",
        )
    )
    made = {
        "content": [{"type": "text", "text": "x"}],
        "tool_calls": [{"name": "read_text", "args": {}, "id": None}],
        "invalid_tool_calls": [{"name": "submap", "args": "{", "error": "no JSON"}],
        "response_metadata": {"finish_reason": "length"},
    }
    yield b"f" + json.dumps(made).encode()


def answers() -> Iterator[bytes]:
    """Answers of a model about a place."""
    yield b'```json\n{"country": "Portugal", "city": "Porto", "lat": 41.1, "lon": -8.6, "reasons": ["Signs."]}\n```'
    yield b"{'Country': ['Spain'], city: 'Vigo, Spain', \"cell\": \"8839236325fffff\", 'reason': {'a': 'b'}, }"
    yield b'[{"country": "unknown", "city": null, "lat": 1e999, "lng": "91", "explanation": 7}]'


def stated() -> Iterator[bytes]:
    """Hints."""
    yield from (b"in Portugal", b"not Spain", b"near Lisbon", b"Springfield, Illinois", b"48.85, 2.35", b"PT")
    yield from (
        b"south of the equator",
        b"Portugal or Spain / France",
        b"it was taken somewhere in the northern hemisphere",
    )


def tables() -> Iterator[bytes]:
    """Recorded predictions."""
    head = b"model,source_file,predicted_country,predicted_city,lat,lon\n"
    yield head + b'a,x.jpg,Portugal,Porto,41.1,-8.6\na,y.jpg,Nowhere,,,\nb,x.jpg,"Spain",Vigo,NaN,1e400\n'
    yield b"\xef\xbb\xbf" + head.replace(b",", b";") + b"a;x.jpg;;;;\n"
    yield head + b"a,x.jpg," + b"x" * 140_000 + b",,,\n"


def lines() -> Iterator[bytes]:
    """Writing on signs."""
    yield "Farmácia Central\nTel. +351 22 123 45 67\nwww.exemplo.pt\n€ 12,50".encode()
    yield "АПТЕКА\n薬局\nصيدلية\nΦΑΡΜΑΚΕΙΟ\n약국".encode()
    yield b"AB-123-CD\n12:30 PM\nA1 E45 km 120\n(555) 010-9999\n10115 Berlin\nMain St"
