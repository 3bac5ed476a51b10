"""Decoding in processes of their own, so that a photo that kills, bloats or holds up its decoder costs itself alone.

For programs that outlive a photo: the chat, `geosleuth mcp`, a batch. They call `decode_apart` once, and every file
that is opened from then on, by `open_photo`, `load_photo` or `video.frames`, is decoded there, pictures of galleries
too. It guards against crashes and excess, not against a file that takes its decoder over: that runs with the user's
rights.

A single `geosleuth localize` and the Python API decode in their own process: it is the user's, holds nothing of anybody
else's, and would wait for the start of another (0.15 s) for each photo.
"""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import queue
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from geosleuth.indexes import photo as photos
from geosleuth.indexes import video
from geosleuth.indexes.decoder_process import DecoderProcess
from geosleuth.indexes.photo import Photo, load_photo
from geosleuth.indexes.pixels import Pixels

AT_ONCE = 2  # one may be held up by a hostile file while the other goes on, and each may take much memory


class Decoders:
    """Some processes; a thread takes the one that was used last, since that one is warm, or waits for one."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._all = [DecoderProcess() for _ in range(at_once)]
        self._idle: queue.LifoQueue[DecoderProcess] = queue.LifoQueue()
        for process in self._all:
            self._idle.put(process)

    @property
    def pids(self) -> list[int]:
        """Of the processes that are there."""
        return [process.pid for process in self._all if process.pid is not None]

    def warm_up(self) -> None:
        """Start one process, and return at once: it gets ready while the server does."""
        with self._taken() as process:
            process.start()

    def open(self, content: bytes, name: str) -> Photo:
        """Do what `open_photo` does; pixels are decoded apart as well.

        Raises:
            InputError: It is no photo, or one that is too much for a decoder.
        """
        with self._taken() as process:
            header, exif, xmp = process.header(content, name)
        return _ApartPhoto(
            name=name,
            sha256=hashlib.sha256(content).hexdigest(),  # custody rests on it: never a decoder's word
            format=header.format,
            size=header.size,
            original_size=header.original_size,
            exif=exif or None,
            xmp=xmp or None,
            has_content_credentials=header.has_content_credentials,
            notes=header.notes,
            _content=content,
            _decoders=self,
        )

    def pixels(self, content: bytes, name: str, side_px: int | None = None) -> Pixels:
        """Decode, as `Photo.pixels`, or `pixels_at(side_px)`, does.

        Raises:
            InputError: The file is damaged, or too much for a decoder.
        """
        with self._taken() as process:
            return process.pixels(content, name, side_px)

    def frames(self, path: Path, count: int, name: str) -> list[Photo]:
        """Take frames of a video, as `video.frames` does.

        Raises:
            InputError: It is no video, or one that is too much for a decoder.
        """
        with self._taken() as process:
            found = process.frames(path, count, name)
        return [
            replace(load_photo(pixels, name=frame.name), notes=frame.notes, original_size=frame.original_size)
            for frame, pixels in found
        ]

    def close(self) -> None:
        """End the processes that are idle; one at work ends with its photo or with this program.

        A later photo starts another.
        """
        idle = []
        with contextlib.suppress(queue.Empty):
            while True:
                idle.append(self._idle.get_nowait())
        for process in idle:
            process.end()
            self._idle.put(process)

    @contextlib.contextmanager
    def _taken(self) -> Iterator[DecoderProcess]:
        process = self._idle.get()
        try:
            yield process
        finally:
            self._idle.put(process)


def decode_apart() -> None:
    """Decode all files apart from now on, for as long as this program runs; the first process starts at once."""
    if _begun:
        return
    decoders = Decoders()
    _begin(decoders)
    decoders.warm_up()
    atexit.register(decoders.close)


@contextlib.contextmanager
def decoding_apart(at_once: int = 1) -> Iterator[Decoders]:
    """Decode all files apart, in all threads of this program, while the context is open."""
    decoders = Decoders(at_once)
    _begin(decoders)
    try:
        yield decoders
    finally:
        _end(decoders)
        decoders.close()


@dataclass(frozen=True, eq=False)
class _ApartPhoto(Photo):
    """A photo whose pixels are decoded by another process."""

    _decoders: Decoders = field(kw_only=True, repr=False)

    @cached_property
    def pixels(self) -> Pixels:
        pixels = self._decoders.pixels(_bytes_of(self), self.name)
        pixels.flags.writeable = False
        return pixels

    def pixels_at(self, side_px: int) -> Pixels:
        if self.format != "JPEG":  # the others come as `pixels` has them, which are kept
            return self.pixels
        return self._decoders.pixels(_bytes_of(self), self.name, side_px)


def _bytes_of(photo: Photo) -> bytes:
    return photo._content if isinstance(photo._content, bytes) else b""


_begun: list[Decoders] = []  # the last one decodes


def _begin(decoders: Decoders) -> None:
    _begun.append(decoders)
    photos.read_apart, video.frames_apart = decoders.open, decoders.frames


def _end(decoders: Decoders) -> None:
    _begun.remove(decoders)
    photos.read_apart = _begun[-1].open if _begun else None
    video.frames_apart = _begun[-1].frames if _begun else None
