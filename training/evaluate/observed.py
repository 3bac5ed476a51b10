"""What the embedded tools saw in each labelled photo, with the lines of text behind it.

The slow step (pixels to lines of text) is kept on disk, beside the notes of a whole agent (agent/tool_notes.py); what
follows from the lines is made anew each time.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from geosleuth.indexes.photo import load_photo
from geosleuth.tools.evidence import Evidence
from geosleuth.tools.metadata import read_metadata
from geosleuth.tools.textline import TextLine
from geosleuth.tools.upright import turned_upright
from geosleuth.training.evaluate.agent.tool_notes import ToolNotes
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
    notes = ToolNotes(cache)
    out = []
    with ThreadPoolExecutor(2) as pool:
        for number, seen in enumerate(pool.map(lambda photo: _observed(photo, notes), photos), start=1):
            out.append(seen)
            if number % 50 == 0:
                logger.info("%d of %d photos read", number, len(photos))
    return out


def _observed(photo: LabelledPhoto, notes: ToolNotes) -> Observed:
    from geosleuth.tools.reading import clues

    loaded = turned_upright(load_photo(photo.path))
    lines, _ = notes.lines(loaded)
    return Observed(photo, tuple(lines), loaded.size, (*read_metadata(loaded), *clues(lines, loaded.size)))
