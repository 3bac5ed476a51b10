"""Pictures, masks and lists of objects as files: whole or not at all."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from geosleuth.indexes.whole_file import SCRATCH, flush_folder
from geosleuth.training.towns.town import Rendered

QUALITY = 90  # what map services and Street View serve is about as good
_PNG_LEVEL = 1  # level 6 takes five times as long for a tenth of the bytes


class PictureFiles:
    """Writes below a folder, and forces all that it wrote to the disk in the end.

    One flush at the end is what makes it fast: a flush after each file would take longer than to draw it.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._written: list[Path] = []
        self._folders: set[Path] = set()

    def picture(self, file: str, rendered: Rendered) -> None:
        """Write what is seen, as JPEG or PNG by the file's ending."""
        self._write(file, encoded(rendered.pixels, PurePosixPath(file).suffix))

    def mask(self, file: str, rendered: Rendered) -> None:
        """Write the labels, one byte a pixel."""
        self._write(str(PurePosixPath(file).with_suffix(".png")), encoded(rendered.labels, ".png"))

    def objects(self, file: str, rendered: Rendered, facts: dict[str, Any]) -> None:
        """Write the list of what is seen, with facts about the picture."""
        seen = [
            {
                "kind": one.kind,
                "text": one.text,
                "language": one.language,
                "share": round(float(one.share), 6),
                "box": [round(float(edge), 4) for edge in one.box],
            }
            for one in rendered.seen
        ]
        text = json.dumps({**facts, "seen": seen}, ensure_ascii=False, indent=1)
        self._write(str(PurePosixPath(file).with_suffix(".json")), f"{text}\n".encode())

    def flush(self) -> None:
        """Force everything to the disk."""
        for path in self._written:
            with path.open("r+b") as file:
                os.fsync(file.fileno())
        for folder in self._folders:
            flush_folder(folder)
        self._written.clear()

    def _write(self, file: str, content: bytes) -> None:
        path = self._root / file
        if path.parent not in self._folders:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._folders.add(path.parent)
        # One process writes a town, so this name is not taken; what a killed one left is written over.
        scratch = path.with_name(f".{path.name}{SCRATCH}")
        try:
            scratch.write_bytes(content)
            scratch.replace(path)
        finally:
            scratch.unlink(missing_ok=True)
        self._written.append(path)


def encoded(pixels: NDArray[np.uint8], suffix: str) -> bytes:
    """Return a picture's bytes as JPEG (.jpg, .jpeg) or PNG, without EXIF."""
    stream = io.BytesIO()
    if suffix == ".png":
        Image.fromarray(pixels).save(stream, "PNG", compress_level=_PNG_LEVEL)
    else:
        Image.fromarray(pixels).save(stream, "JPEG", quality=QUALITY)
    return stream.getvalue()
