"""Sharp frames of a video, as photos of one scene."""

from __future__ import annotations

import hashlib
import logging
import math
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.photo import Photo, load_photo
from geosleuth.indexes.photo_file import file_name
from geosleuth.indexes.pixels import Pixels

logger = logging.getLogger(__name__)

SUFFIXES = (".mp4", ".m4v", ".mov", ".3gp", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".mts", ".wmv", ".flv")
MOST_FRAMES = 60  # photos of one scene; each is looked at by every tool
MAX_FILE_BYTES = 8 << 30  # forty minutes of a phone's 4K video, at 200 MB a minute
MAX_MEGAPIXELS = 80  # 8K has 33; a bomb has more

_WANTED = "a video (MP4, MOV, MKV, WebM, AVI, MPEG, WMV or FLV)"
# The containers by their first bytes. Playlists and scripts (HLS, DASH, ffconcat), which would make the decoder open
# other files or addresses, are text and none of these.
_SIGNATURES: tuple[tuple[int, bytes], ...] = (
    (4, b"ftyp"), (4, b"moov"), (4, b"mdat"), (4, b"wide"), (4, b"free"), (0, b"\x1aE\xdf\xa3"), (8, b"AVI "),
    (0, b"\x00\x00\x01\xba"), (0, b"\x00\x00\x01\xb3"), (0, b"FLV\x01"), (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11"),
)  # fmt: skip
_TS_PACKETS = (188, 192)  # bytes from one 0x47 to the next; 192 where a camera puts a time before each

_LOOK_SECONDS = 1.0  # around the middle of each part: hands shake several times a second
_LOOKED_AT = 10  # frames of that second whose sharpness is measured
_JUDGED_PX = 640  # sharpness is judged at this size, so that noise of large frames does not count as detail
_SAME_LEVELS = 2.0  # of 255: frames whose small grey copies differ less on average show one view; noise makes 0.5
_SMALL_PX = 32
_UNKNOWN_LENGTH_FRAMES = 1800  # a minute: what is looked at of a stream that does not say how long it is
_USUAL_FPS = 25.0


@dataclass(frozen=True)
class _Frame:
    seconds: float
    sharpness: float
    small: Pixels  # grey, 32 x 32
    pixels: Pixels  # RGB


def is_video(name: str) -> bool:
    """Tell by its suffix whether a file is a video."""
    return name.lower().endswith(SUFFIXES)


def frames(source: str | Path | bytes, count: int = 6, *, name: str | None = None) -> list[Photo]:
    """Take the sharpest frame from the middle of each of `count` equal parts of a video, in the order of time.

    Long videos are sought through, not decoded. Frames that show the same view as an earlier one are left out: they
    would be counted as further witnesses. Each photo's hash is of its pixels; its notes name the video's own.

    Args:
        source: A file, or its bytes.
        count: How many to take at most.
        name: Of the video, for people.

    Raises:
        InputError: It is no video, or none that can be decoded.
    """
    if not 1 <= count <= MOST_FRAMES:
        raise InputError(f"1 to {MOST_FRAMES} frames", str(count), "Choose fewer; six show most scenes.")
    if isinstance(source, bytes):
        with tempfile.TemporaryDirectory(prefix="geosleuth-") as folder:  # the decoder reads files only
            path = Path(folder) / "video"
            path.write_bytes(source)
            return _frames(path, count, name or "video")
    return _frames(Path(source), count, name or file_name(source))


# Who takes frames in the place of this process, while `decoding_apart.py` has videos decoded by others.
frames_apart: Callable[[Path, int, str], list[Photo]] | None = None


def _frames(path: Path, count: int, name: str) -> list[Photo]:
    if frames_apart is not None:
        return frames_apart(path, count, name)
    _check(path, name)
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    import cv2

    try:
        kept, same = _distinct(_sharpest(path, count, name))
    except cv2.error as error:  # its words are of source files and lines
        raise _damaged(name, "one whose frames cannot be decoded") from error
    if not kept:
        raise _damaged(name, "one without a frame that can be decoded")
    photos = []
    for i, frame in enumerate(kept):
        note = f"frame at {frame.seconds:.1f} s of the video {name}, SHA-256 {digest}"
        alike = ", ".join(f"{seconds:.1f}" for seconds in same[i])
        notes = (note, f"left out, since they show the same view: frames at {alike} s") if alike else (note,)
        photo = load_photo(frame.pixels, name=f"{name} at {frame.seconds:.1f} s")
        photos.append(replace(photo, notes=photo.notes + notes))
    return photos


def _check(path: Path, name: str) -> None:
    """Refuse all but an ordinary file with a video's first bytes: the decoder would open addresses and playlists."""
    try:
        if not path.is_file():
            address = re.match(r"[A-Za-z]{2,}:/", path.as_posix())  # one letter is a drive
            found = "a web address" if address else "a folder" if path.is_dir() else "no such file"
            raise InputError(_WANTED, f"{found}: {name}", "Save the video and name the file.")
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            wanted = f"{_WANTED} of at most {MAX_FILE_BYTES >> 30} GiB"
            raise InputError(wanted, f"a file of {size / 2**30:.1f} GiB: {name}", "Cut out the part that matters.")
        head = b""
        if size:  # /proc's files say that they are empty, and reading some waits for ever
            with path.open("rb") as stream:
                head = stream.read(4096)
    except OSError as error:  # it may not be read, or its name is too long for any file
        found = f"one that cannot be read ({error.strerror}): {name}"
        raise InputError(_WANTED, found, "Check the path, its permissions and the disk.") from error
    known = any(head[at:].startswith(signature) for at, signature in _SIGNATURES)
    packets = any(len(head) > 3 * n and {head[k * n + n - 188] for k in range(3)} == {0x47} for n in _TS_PACKETS)
    if not known and not packets:
        found = f"an empty file: {name}" if not head else f"a file of another kind: {name}"
        raise InputError(_WANTED, found, "Photos go in as they are; convert other videos to MP4.")


@contextmanager
def _opened(path: Path, name: str) -> Iterator[Any]:
    import cv2

    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # quiet: what fails is told in words, and once
    # ffmpeg alone, and an absolute path: other backends read "img_%d" as a pattern, and "x:" would be a protocol.
    video = cv2.VideoCapture(str(path.resolve()), cv2.CAP_FFMPEG)
    try:
        if not video.isOpened():
            raise _damaged(name, "one that cannot be opened")
        width, height = video.get(cv2.CAP_PROP_FRAME_WIDTH), video.get(cv2.CAP_PROP_FRAME_HEIGHT)
        if width * height > MAX_MEGAPIXELS * 1e6:
            found = f"frames of {width:.0f} x {height:.0f} pixels: {name}"
            raise InputError(f"{_WANTED} of at most {MAX_MEGAPIXELS} megapixels", found, "Export a smaller copy.")
        yield video
    finally:
        video.release()


def _sharpest(path: Path, count: int, name: str) -> Iterator[_Frame]:
    """The sharpest frame of each part; fewer where parts cannot be decoded or the video is short."""
    import cv2

    with _opened(path, name) as video:
        fps = video.get(cv2.CAP_PROP_FPS)
        fps = fps if math.isfinite(fps) and 1.0 <= fps <= 1000.0 else _USUAL_FPS
        told = video.get(cv2.CAP_PROP_FRAME_COUNT)
        total = int(told) if math.isfinite(told) else 0
    if total <= 0:  # a stream without a length, as browsers record them
        with _opened(path, name) as video:
            total = next((i for i in range(_UNKNOWN_LENGTH_FRAMES) if not video.grab()), _UNKNOWN_LENGTH_FRAMES)
    edges = np.linspace(0, total, min(count, max(total, 1)) + 1).round().astype(int).tolist()
    with _opened(path, name) as video:
        for first, last in pairwise(edges):
            looked = min(last - first, max(1, round(_LOOK_SECONDS * fps)))
            start = (first + last - looked) // 2
            best = max(_looked_at(video, start, looked, fps), key=lambda frame: frame.sharpness, default=None)
            if best:
                yield best
            else:
                logger.info("no frame of part %d to %d of %s can be decoded", first, last, name)


def _looked_at(video: Any, start: int, looked: int, fps: float) -> Iterator[_Frame]:
    """Some frames from `start` on, with their sharpness: the variance of the Laplacian (Pech-Pacheco 2000)."""
    import cv2

    video.set(cv2.CAP_PROP_POS_FRAMES, start)
    step = max(1, math.ceil(looked / _LOOKED_AT))
    for i in range(looked):
        if not video.grab():
            return
        if i % step:
            continue
        read, bgr = video.retrieve()
        if not read or bgr is None or bgr.ndim != 3 or bgr.shape[0] * bgr.shape[1] > MAX_MEGAPIXELS * 1e6:
            continue  # a stream may change its size midway
        grey = cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)
        scale = min(1.0, _JUDGED_PX / max(grey.shape))
        judged = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        small = cv2.resize(grey, (_SMALL_PX, _SMALL_PX), interpolation=cv2.INTER_AREA)
        sharpness = float(cv2.Laplacian(judged, cv2.CV_64F).var())
        yield _Frame((start + i) / fps, sharpness, small, np.ascontiguousarray(bgr[:, :, ::-1]))


def _distinct(found: Iterator[_Frame]) -> tuple[list[_Frame], list[list[float]]]:
    """Frames that show different views, and per frame the seconds of those that were left out as its like."""
    kept: list[_Frame] = []
    same: list[list[float]] = []
    for frame in found:
        small = frame.small.astype(np.float32)
        alike = [i for i, other in enumerate(kept) if float(np.abs(small - other.small).mean()) < _SAME_LEVELS]
        if alike:
            same[alike[0]].append(frame.seconds)
        else:
            kept.append(frame)
            same.append([])
    return kept, same


def _damaged(name: str, reason: str) -> InputError:
    return InputError(_WANTED, f"{reason}: {name}", "Copy or export it again, as MP4 with H.264.")
