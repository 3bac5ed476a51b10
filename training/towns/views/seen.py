"""What a view shows: every structure and object with its share of the pixels, its box and its readable text."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from geosleuth.training.towns.town import Seen, TownObject
from geosleuth.training.towns.views.scene import Ints, Scene

LEAST_SHARE = 0.0002  # 3 pixels of 64 x 256, 59 of 384 x 768: less says nothing about a thing
LEAST_SIGN_PX = 9  # of a board; its letters are about two thirds of it, and OCR needs some 6 pixels for capitals
_LEAST_CLEAR = 0.7  # of a board must be seen, or the text is cut
_LEAST_ASPECT = 0.5  # cosine of the angle at which a board is seen: beyond 60 degrees letters run into each other


def list_seen(
    scene: Scene, number: Ints, things: Mapping[int, TownObject], readable: Mapping[int, bool]
) -> tuple[Seen, ...]:
    """List what a view shows, the largest first.

    Args:
        scene: The town.
        number: (h, w) what each pixel shows: a structure, structures + an object, or -1.
        things: The objects of the view by that number.
        readable: By number: whether a sign's text was drawn to be read and is large, clear and square enough for it.

    Returns:
        What covers `LEAST_SHARE`. A box is of all pixels, also where a panorama's edge cuts a thing in two.
    """
    rows, columns = number.shape
    flat = number.ravel()
    shown = np.flatnonzero(flat >= 0)
    if not len(shown):
        return ()
    shown = shown[np.argsort(flat[shown], kind="stable")]
    numbers, starts, counts = np.unique(flat[shown], return_index=True, return_counts=True)
    row, column = shown // columns, shown % columns
    edges = [
        np.minimum.reduceat(column, starts) / columns,
        np.minimum.reduceat(row, starts) / rows,
        (np.maximum.reduceat(column, starts) + 1) / columns,
        (np.maximum.reduceat(row, starts) + 1) / rows,
    ]
    first = len(scene.town.structures)
    found = []
    for i in np.argsort(-counts, kind="stable"):
        what, share = int(numbers[i]), float(counts[i]) / flat.size
        if share < LEAST_SHARE:
            break
        left, top, right, bottom = (float(edge[i]) for edge in edges)
        if what < first:
            kind = scene.town.structures[what].kind
            found.append(Seen(kind, share, (left, top, right, bottom), structure=what))
            continue
        thing, reads = things[what], readable.get(what, False)
        text, language = (thing.text, thing.language) if reads else (None, None)
        found.append(Seen(thing.kind, share, (left, top, right, bottom), text, language, object=what - first))
    return tuple(found)


def reads_well(planned_px: int, shown_px: int, high_px: float, cosine: float) -> bool:
    """Tell whether the text of a board can be read.

    Args:
        planned_px: Pixels that the board would have with nothing before it.
        shown_px: Those that it has.
        high_px: Its height in the view.
        cosine: Of the angle between its front and the line of sight.
    """
    return shown_px >= _LEAST_CLEAR * planned_px > 0 and high_px >= LEAST_SIGN_PX and cosine >= _LEAST_ASPECT
