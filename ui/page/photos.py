"""What a person drops into the page: photos, or a video whose sharp frames are photos of one scene."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath, PureWindowsPath

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.photo import Photo, load_photo, open_photo
from geosleuth.indexes.photo_edit import Edit, edited
from geosleuth.indexes.pixels import Pixels

# What the file chooser offers; what a file really is, its bytes tell.
PHOTO_SUFFIXES = ("jpg", "jpeg", "png", "webp", "heic", "heif", "tif", "tiff", "gif")
VIDEO_SUFFIXES = ("mp4", "mov", "m4v", "avi", "mkv", "webm")
FRAMES = 6  # of a video: enough views of a scene, and each costs a run of the reader
MOST_PHOTOS = 12  # of a case at once: each costs seconds, and one scene seldom has more that differ
PREVIEW_PX = 480
_NAME_CHARACTERS = 120  # of a file's name; longer ones are cut, with their suffix kept


@dataclass(frozen=True)
class Upload:
    """One photo as it goes into a case."""

    name: str  # a stranger's words, without folders
    content: bytes
    origin: str = ""  # what it was taken from, in words; empty: it is the file itself
    video: str = ""  # name of the video that it is a frame of
    turn_deg: int = 0  # clockwise, that seems to set it upright

    @property
    def edit(self) -> Edit:
        """How it is looked at unless a person says otherwise."""
        return self.turned(edit_of(self.turn_deg, (0, 100), (0, 100)))

    @cached_property
    def sha256(self) -> str:
        """Hash of its bytes."""
        return hashlib.sha256(self.content).hexdigest()

    def turned(self, edit: Edit) -> Edit:
        """Note in an edit that its turn is the one that was seen."""
        return edit.model_copy(update={"detected": edit.rotate_deg != 0 and edit.rotate_deg == self.turn_deg})

    @property
    def scene(self) -> str:
        """What to call a case of it."""
        return without_suffix(self.video or self.name)


def uploads_of(name: str, content: bytes, *, turn: bool = False) -> list[Upload]:
    """Return the file as photos: itself, or the frames of a video.

    Args:
        name: As the browser gave it.
        content: Its bytes.
        turn: Look whether a photo lies on its side or head.

    Raises:
        InputError: It is neither, or damaged. Of a photo only the header tells: the rest is for who adds it to a case.
    """
    from geosleuth.indexes.video import frames, is_video

    short = file_name(name)
    if not is_video(short):
        photo = open_photo(content, name=short)
        return [Upload(short, content, turn_deg=_seen_turn(photo) if turn else 0)]
    digest = hashlib.sha256(content).hexdigest()
    origin = f"frames of the video {short} (SHA-256 {digest})"
    found = frames(content, FRAMES, name=short)
    return [Upload(one.name, _png(one), origin, short, _seen_turn(one) if turn else 0) for one in found]


def _seen_turn(photo: Photo) -> int:
    from geosleuth.tools.upright import seen_turn

    try:
        return seen_turn(photo.pixels_at(PREVIEW_PX))
    except InputError:  # a damaged picture: told when it is added to the case
        return 0


def check_count(count: int) -> None:
    """Refuse more photos than a case is for.

    Raises:
        InputError: There are too many.
    """
    if count > MOST_PHOTOS:
        remedy = "A case is one scene: choose the best views; `geosleuth batch` answers folders."
        raise InputError(f"at most {MOST_PHOTOS} photos of one scene", f"{count}", remedy)


def file_name(name: str) -> str:
    """Return the name without folders, whichever system wrote it, and of a length that fits a line."""
    last = PureWindowsPath(PurePosixPath(name).name).name or "photo"
    if len(last) <= _NAME_CHARACTERS:
        return last
    suffix = PurePosixPath(last).suffix[:10]
    return last[: _NAME_CHARACTERS - len(suffix)] + suffix


def without_suffix(name: str) -> str:
    """Return a file's name without its ending; "clip.mp4 at 0.1 s" has none."""
    return re.sub(r"(?<=.)\.[A-Za-z][A-Za-z0-9]{2,3}$", "", name)


def edit_of(rotate_deg: int, across: tuple[int, int], down: tuple[int, int]) -> Edit:
    """Return the edit that the sliders show; edges in percent of the turned picture.

    Raises:
        InputError: Nothing would be left.
    """
    if rotate_deg not in (0, 90, 180, 270):
        raise InputError("a turn by 0, 90, 180 or 270 degrees", f"{rotate_deg}", "Choose one of these.")
    if across[0] >= across[1] or down[0] >= down[1]:
        raise InputError("a crop with something in it", "two edges that meet", "Move the edges apart.")
    whole = across == (0, 100) and down == (0, 100)
    crop = None if whole else (across[0] / 100, down[0] / 100, across[1] / 100, down[1] / 100)
    return Edit.model_validate({"rotate_deg": rotate_deg, "crop": crop})


def turned_words(chosen: Sequence[tuple[Upload, Edit]]) -> list[str]:
    """Say which photos are looked at turned because they seemed to lie."""
    return [f"{one.name} is {edit.turn_words}." for one, edit in chosen if edit.turn_words]


def preview(content: bytes, name: str, edit: Edit) -> Pixels:
    """Return the edited picture, small: JPEG is decoded no larger than needed.

    Raises:
        InputError: The picture is damaged.
    """
    small = open_photo(content, name=name).pixels_at(PREVIEW_PX)
    return thumbnail(edited(load_photo(small, name=name), edit), PREVIEW_PX)


def thumbnail(photo: Photo, side_px: int) -> Pixels:
    """Return the photo with no side above `side_px`."""
    import numpy as np
    from PIL import Image

    image = Image.fromarray(photo.pixels)
    image.thumbnail((side_px, side_px), reducing_gap=2.0)
    return np.asarray(image)


def _png(frame: Photo) -> bytes:
    """Write a frame without loss: what the case keeps is what the tools see."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(frame.pixels).save(file, "PNG", compress_level=1)  # a tenth of the time for a fifth more bytes
    return file.getvalue()
