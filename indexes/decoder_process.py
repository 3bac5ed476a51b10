"""A decoder as the server sees it: a process that is kept warm, and replaced when a photo is too much for it."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO, Annotated, Any, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from geosleuth.indexes import decoder
from geosleuth.indexes.decoder import OUT_OF_MEMORY, READY
from geosleuth.indexes.decoder_faults import (
    WANTED,
    DecoderDied,
    NoDecoder,
    deadly,
    stillborn,
    too_large,
    too_long,
)
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.photo import MAX_SIDE_PX
from geosleuth.indexes.photo_file import MAX_FILE_BYTES
from geosleuth.indexes.pixels import Pixels
from geosleuth.indexes.video import MOST_FRAMES

logger = logging.getLogger(__name__)

_PROGRAM = ("-P", "-m", decoder.__name__)  # -P: no module from a stranger's folder
_TRIES = 2  # of one photo: a decoder may have been killed for another's memory, or while it was idle
_LINE_BYTES = 1 << 20  # of JSON: it holds numbers and notes, of sixty frames at most
_LAST_BREATH_S = 5.0  # between the end of its output and its own end, which tells the cause

_LIE = "an answer that no decoder gives"

_Side = Annotated[int, Field(ge=1)]


class Header(BaseModel):
    """What a decoder says of a photo; it is data, for a photo may have taken the decoder over."""

    model_config = ConfigDict(extra="forbid", strict=True)

    format: str
    size: tuple[_Side, _Side]
    original_size: tuple[_Side, _Side]
    has_content_credentials: bool
    notes: tuple[str, ...]
    exif_bytes: Annotated[int, Field(ge=0, le=MAX_FILE_BYTES)]
    xmp_bytes: Annotated[int, Field(ge=0, le=MAX_FILE_BYTES)]


class Frame(BaseModel):
    """What a decoder says of a frame of a video."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: str
    notes: tuple[str, ...]
    original_size: tuple[_Side, _Side]
    shape: tuple[_Side, _Side, _Side]


class _Reply(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    header: Header | None = None
    shape: tuple[_Side, _Side, _Side] | None = None
    frames: Annotated[tuple[Frame, ...], Field(max_length=MOST_FRAMES)] | None = None
    refused: tuple[str, str, str] | None = None


Result = TypeVar("Result")
_Read = Callable[[IO[bytes], _Reply], Result]


class DecoderProcess:
    """Decodes one photo at a time, for one thread at a time, in a process that is started when it is first needed."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._ready = False  # it has said so

    @property
    def pid(self) -> int | None:
        """Of the process; None where there is none."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Start the process, unless it is there; nobody waits for it to be ready.

        Raises:
            NoDecoder: The system starts none.
        """
        if self._process is not None and self._process.poll() is not None:
            self.end()  # it died while it was idle, which is no photo's fault
        if self._process is None:
            try:
                self._process, self._ready = _spawn(), False
            except OSError as error:
                remedy = "End other programs, or see the system's limits on processes and memory."
                raise NoDecoder(WANTED, f"none ({error.strerror})", remedy) from error

    def header(self, content: bytes, name: str) -> tuple[Header, bytes, bytes]:
        """Return what the header says, the EXIF block and the XMP packet.

        Raises:
            InputError: It is no photo, or one that the decoder dies of.
        """
        return self._asked({"do": "open"}, content, name, _read_header)

    def pixels(self, content: bytes, name: str, side_px: int | None) -> Pixels:
        """Return what `Photo.pixels`, or `pixels_at(side_px)`, would.

        Raises:
            InputError: The file is damaged, or takes too long, too much memory, or the decoder's life.
        """
        return self._asked({"do": "pixels", "side_px": side_px}, content, name, _read_pixels)

    def frames(self, path: Path, count: int, name: str) -> list[tuple[Frame, Pixels]]:
        """Return what `video.frames` would of a video's file.

        Raises:
            InputError: It is no video, or one that the decoder dies of.
        """
        asked = {"do": "frames", "path": os.fsencode(path).hex(), "count": count}
        return self._asked(asked, b"", name, _read_frames)

    def end(self) -> None:
        """End the process; the next photo starts another."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            _close_pipes(process)

    def _asked(self, asked: dict[str, Any], content: bytes, name: str, read: _Read[Result]) -> Result:
        told = name.encode(errors="backslashreplace").decode()  # a name may be no text; it comes back in words alone
        line = json.dumps({**asked, "name": told, "bytes": len(content)}).encode() + b"\n"
        longest_s = decoder.longest_s(asked["do"])
        deaths = {True: 0, False: 0}  # over the photo; before it began with one
        while True:
            try:
                return self._try(line, content, read, longest_s)
            except DecoderDied as died:
                logger.warning("A decoder was lost %s (%s)", "over a photo" if died.began else "at its start", died)
                deaths[died.began] += 1
                if deaths[False] == _TRIES:
                    raise stillborn(died, _PROGRAM) from None
                self.start()  # the next photo need not wait for its imports
                if died.began and died.code == OUT_OF_MEMORY:
                    raise too_large(name) from None
                if deaths[True] == _TRIES:
                    raise deadly(name, died, _TRIES) from None
            except TimeoutError:
                self.start()
                logger.warning("A decoder was ended after %d s over a photo", longest_s)
                raise too_long(name, longest_s) from None

    def _try(self, line: bytes, content: bytes, read: _Read[Result], longest_s: int) -> Result:
        self.start()
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise DecoderDied("without pipes")
        late = threading.Event()

        def kill() -> None:
            late.set()
            process.kill()

        watch = threading.Timer(longest_s, kill)
        watch.daemon = True
        watch.start()
        try:
            self._await_ready(process.stdout)
            process.stdin.write(line)
            process.stdin.write(content)
            process.stdin.flush()
            return read(process.stdout, _reply(process.stdout))
        except InputError:
            raise  # the decoder's own answer
        except (OSError, EOFError):
            died = self._buried(process)
            if late.is_set():
                raise TimeoutError from None
            raise died from None
        except BaseException:  # a lie; or Ctrl-C, and half an answer would be taken for the next photo's
            self.end()
            raise
        finally:
            watch.cancel()

    def _await_ready(self, stream: IO[bytes]) -> None:
        if self._ready:
            return
        line = stream.readline(_LINE_BYTES)
        if not line:
            raise EOFError
        if line != READY:
            raise DecoderDied(_LIE, began=False)
        self._ready = True

    def _buried(self, process: subprocess.Popen[bytes]) -> DecoderDied:
        """Clean up after a process whose pipes have ended, and say how it did."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_LAST_BREATH_S)
        self.end()
        code = process.returncode
        return DecoderDied(f"signal {-code}" if code < 0 else f"exit code {code}", code, began=self._ready)


def _reply(stream: IO[bytes]) -> _Reply:
    line = stream.readline(_LINE_BYTES)
    if not line:
        raise EOFError
    try:
        reply = _Reply.model_validate_json(line)
    except ValidationError:
        raise DecoderDied(_LIE) from None
    if reply.refused is not None:
        raise InputError(*reply.refused)
    return reply


def _read_header(stream: IO[bytes], reply: _Reply) -> tuple[Header, bytes, bytes]:
    if reply.header is None:
        raise DecoderDied(_LIE)
    return reply.header, _exactly(stream, reply.header.exif_bytes), _exactly(stream, reply.header.xmp_bytes)


def _read_pixels(stream: IO[bytes], reply: _Reply) -> Pixels:
    return _picture(stream, reply.shape)


def _read_frames(stream: IO[bytes], reply: _Reply) -> list[tuple[Frame, Pixels]]:
    if reply.frames is None:
        raise DecoderDied(_LIE)
    return [(frame, _picture(stream, frame.shape)) for frame in reply.frames]


def _picture(stream: IO[bytes], shape: tuple[int, ...] | None) -> Pixels:
    if shape is None or max(shape) > MAX_SIDE_PX or shape[2] != 3:
        raise DecoderDied(_LIE)
    pixels = np.empty(shape, np.uint8)
    if stream.readinto(pixels.data.cast("B")) != pixels.nbytes:  # type: ignore[attr-defined]
        raise EOFError
    return pixels


def _exactly(stream: IO[bytes], count: int) -> bytes:
    content = stream.read(count)
    if len(content) != count:
        raise EOFError
    return content


def _spawn() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, *_PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        # Libraries in C complain of damaged files there, hundreds of lines a file.
        stderr=None if logger.isEnabledFor(logging.DEBUG) else subprocess.DEVNULL,
        # Each thread of OpenBLAS, which is not used here, and each arena of a thread of ffmpeg's reserve memory, which
        # the limit counts: gigabytes where there are many cores.
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"},
        # A group of its own: the terminal's Ctrl-C is for the server, with whose end the decoder's stdin ends.
        process_group=None if sys.platform == "win32" else 0,
    )


def _close_pipes(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):  # what was not flushed has no reader any more
                pipe.close()
