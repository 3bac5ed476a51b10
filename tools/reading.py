"""Read the writing in a photo, and turn it into evidence about the place."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from geosleuth.tools.brands import brand_clues
from geosleuth.tools.captions import caption_clues, is_caption, scene_lines
from geosleuth.tools.contacts import contact_clues, without_addresses
from geosleuth.tools.conventions import convention_clues
from geosleuth.tools.evidence import Evidence, Nothing
from geosleuth.tools.language import language_clues
from geosleuth.tools.place_names import place_clues
from geosleuth.tools.textline import TextLine
from geosleuth.tools.watermark import without_watermarks

if TYPE_CHECKING:
    from geosleuth.indexes.photo import Photo


MOST_LINES = 60  # the best-read ones; a menu or a poster of more is one text, and would take seconds


class Reading(BaseModel):
    """What was read, and what it says."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    lines: tuple[TextLine, ...]
    evidence: tuple[Evidence, ...]


def read_text(photo: Photo) -> Reading:
    """Read the signs of a photo. Use it on every photo: languages, names, phones and prices narrow the place down."""
    from geosleuth.tools.recognition import recognise

    start = perf_counter()
    lines = recognise(photo)
    evidence = clues(lines, photo.size)
    each = (perf_counter() - start) / max(len(evidence), 1)
    return Reading(lines=tuple(lines), evidence=tuple(piece.model_copy(update={"seconds": each}) for piece in evidence))


def clues(lines: Sequence[TextLine], photo_size: tuple[int, int]) -> list[Evidence]:
    """Turn lines of writing into evidence; `photo_size` is (width, height) in pixels.

    Always returns something: `Nothing`, with the reason, where the lines tell nothing.
    """
    marked = sorted(without_watermarks(lines, photo_size), key=lambda line: -line.score)
    kept = scene_lines(marked)[:MOST_LINES]
    plain = [without_addresses(line) for line in kept]
    found = [*language_clues(plain), *place_clues(plain), *brand_clues(plain)]
    found += [*contact_clues(kept), *convention_clues(kept)]
    found += caption_clues([line for line in marked if is_caption(line)][:MOST_LINES])
    return found or [_nothing(lines, kept)]


def _nothing(lines: Sequence[TextLine], kept: Sequence[TextLine]) -> Evidence:
    if not lines:
        reason = "no writing was found"
    elif not kept:
        reason = "the only writing is the mark of the imagery's maker or a camera's stamp"
    else:
        reason = f"{len(kept)} line{'s' if len(kept) > 1 else ''} of writing, none of which tells of a place"
    claim = reason[0].upper() + reason[1:]
    return Evidence(tool="reading", type="reading", claim=claim, likelihood=Nothing(reason=reason))
