"""Positions that James Hays' Flickr downloader wrote into the comments of its JPEG files.

A picture of IM2GPS has a dozen comment blocks with what Flickr said of it, two of them ``latitude: 41.890359`` and
``longitude: 12.492246`` ("The gps coordinates along with other image info are saved in the jpeg comment fields", the
project's page, as quoted in github.com/TIBHannover/GeoEstimation, issue 23; read by main_im2gps_test.m of
github.com/lugiavn/revisiting-im2gps). ``info.json`` of OSV-5M's baselines (github.com/gastruc/osv5m, data/data.py) has
the same blocks, as a list by file name.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.exif import parse_exif
from geosleuth.indexes.photo_file import open_image, read_file
from geosleuth.training.evaluate.data_sets.label_table import Label

BY_COMMENTS = "position from the comments in the picture"
BY_EXIF = "position from the picture's EXIF"
INFO_REMEDY = "Write it anew: an object of lists of comments, by file name."


def read_picture(path: Path, file: str) -> tuple[Label, str] | None:
    """Read the position that a picture holds: in its comments, else in its EXIF; says which. None: neither.

    Raises:
        InputError: It is no picture that can be opened.
    """
    image = open_image(read_file(path), path.name)
    blocks: list[tuple[str, bytes]] = getattr(image, "applist", [])  # JPEG's alone
    label = in_comments(file, (text.decode("latin-1") for kind, text in blocks if kind == "COM"))
    if label:
        return label, BY_COMMENTS
    raw = image.info.get("exif")
    position = parse_exif(raw).position if isinstance(raw, bytes) else None
    return (Label(file, repr(position.lat), repr(position.lon)), BY_EXIF) if position else None


def in_comments(file: str, comments: Iterable[str]) -> Label | None:
    """Find a position among comments."""
    found: dict[str, str] = {}
    for comment in comments:
        name, colon, value = comment.replace("\0", " ").partition(":")
        if colon and name.strip().lower() in ("latitude", "longitude"):
            found[name.strip().lower()] = value.strip()
    return Label(file, found["latitude"], found["longitude"]) if len(found) == 2 else None


def read_info(path: Path) -> list[Label]:
    """Read ``info.json``; a picture without a position has an empty one.

    Raises:
        InputError: It cannot be read, or is not an object of lists of texts.
    """
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"comments by file in {path}", f"one that cannot be read ({error})", INFO_REMEDY) from error
    if not isinstance(content, Mapping) or not all(isinstance(one, list) for one in content.values()):
        raise InputError(f"comments by file in {path}", "JSON of another form", INFO_REMEDY)
    texts = {name: [one for one in comments if isinstance(one, str)] for name, comments in content.items()}
    return [in_comments(name, comments) or Label(name, "", "") for name, comments in texts.items()]
