"""Vectors of pictures on disk, so that a second look at an encoder takes seconds and an interrupted one goes on.

    <key>.safetensors       `vectors` (n, d) float32, `valid` (n,) bool, and in its metadata `broken`: JSON, what could
                            not be read and why

The key hashes all that the vectors depend on: the encoder's weights, and of each picture its path, view, size and time
of change. Nothing is ever unpickled.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.encoders.encoder import Vectors
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gallery.reference import View
from geosleuth.indexes.whole_file import appearing
from geosleuth.training.datasets.cross_view import Skipped

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Embedded:
    """The vectors of n pictures."""

    vectors: Vectors  # (n, d); zeros where a picture could not be read
    valid: NDArray[np.bool_]  # (n,)
    broken: tuple[Skipped, ...]  # the others


class VectorCache:
    """The folder of one encoder's vectors."""

    def __init__(self, folder: Path, weights_sha256: str) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            found = f"{folder}, which cannot be made ({error.strerror})"
            raise InputError("a folder for vectors", found, "Name another with --cache.") from error
        self._folder = folder
        self._weights_sha256 = weights_sha256

    def path(self, paths: Sequence[str], views: Sequence[View]) -> Path:
        """Return where the vectors of some pictures are, or would be."""
        digest = hashlib.sha256(self._weights_sha256.encode())
        for path, view in zip(paths, views, strict=True):
            digest.update(json.dumps([path, view, *_stamp(path)]).encode())
        return self._folder / f"{digest.hexdigest()}.safetensors"

    def read(self, path: Path, count: int) -> Embedded | None:
        """Read vectors; None where they are not there, or damaged."""
        from safetensors import SafetensorError, safe_open

        if not path.exists():
            return None
        try:
            with safe_open(str(path), framework="numpy") as file:
                vectors, valid = file.get_tensor("vectors"), file.get_tensor("valid")
                broken = tuple(Skipped(*row) for row in json.loads(file.metadata()["broken"]))
        except (OSError, SafetensorError, ValueError, KeyError, TypeError) as error:
            logger.warning("%s is damaged (%s): its pictures are encoded again", path, type(error).__name__)
            return None
        if vectors.shape[:1] != (count,) or valid.shape != (count,):
            logger.warning("%s holds other pictures: they are encoded again", path)
            return None
        return Embedded(vectors, valid, broken)

    def write(self, path: Path, embedded: Embedded) -> None:
        """Write vectors, whole or not at all."""
        from safetensors.numpy import save_file

        broken = json.dumps([astuple(one) for one in embedded.broken])
        with appearing(path) as scratch:
            save_file(
                {"vectors": np.ascontiguousarray(embedded.vectors), "valid": embedded.valid},
                str(scratch),
                metadata={"broken": broken},
            )


def _stamp(path: str) -> tuple[int, int]:
    """Size and time of change: a picture that was replaced is encoded again."""
    try:
        status = Path(path).stat()
    except (OSError, ValueError):
        return -1, -1
    return status.st_size, status.st_mtime_ns
