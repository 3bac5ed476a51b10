"""What the embedded tools saw in each labelled photo, kept on disk so that a fusion run takes seconds.

The slow step (pixels to lines of text) is stored per photo by its SHA-256 and the recogniser's version; what follows
from the lines is made anew each time.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from geosleuth.indexes.photo import load_photo
from geosleuth.tools.evidence import Evidence
from geosleuth.tools.metadata import read_metadata
from geosleuth.tools.textline import TextLine
from geosleuth.training.evaluate.labelled import LabelledPhoto

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Observed:
    """A labelled photo and the evidence of the embedded tools."""

    photo: LabelledPhoto
    lines: tuple[TextLine, ...]
    size: tuple[int, int]
    evidence: tuple[Evidence, ...]


def observe(photos: Sequence[LabelledPhoto], cache: Path) -> list[Observed]:
    """Read all photos; lines of text come from `cache` (a folder) where they were read before."""
    from geosleuth.tools.reading import clues

    cache.mkdir(parents=True, exist_ok=True)
    out = []
    with ThreadPoolExecutor(2) as pool:
        for number, (photo, (lines, size)) in enumerate(
            zip(photos, pool.map(lambda p: _lines(p, cache), photos), strict=True), start=1
        ):
            evidence = (*read_metadata(load_photo(photo.path)), *clues(lines, size))
            out.append(Observed(photo, tuple(lines), size, evidence))
            if number % 50 == 0:
                logger.info("%d of %d photos read", number, len(photos))
    return out


def _lines(photo: LabelledPhoto, cache: Path) -> tuple[list[TextLine], tuple[int, int]]:
    from geosleuth.tools.recognition import recognise, recogniser_version

    content = photo.path.read_bytes()
    key = hashlib.sha256(content + recogniser_version().encode()).hexdigest()[:24]
    stored = cache / f"{key}.json"
    if stored.exists():
        record = json.loads(stored.read_text(encoding="utf-8"))
        return [TextLine(**line) for line in record["lines"]], tuple(record["size"])
    loaded = load_photo(photo.path)
    lines = recognise(loaded)
    record = {"size": loaded.size, "lines": [line.model_dump() for line in lines]}
    part = stored.with_suffix(".part")
    part.write_text(json.dumps(record, ensure_ascii=False), encoding="utf-8")
    part.replace(stored)
    return lines, loaded.size
