"""All that the small model learns from one world of towns: descriptions, yes and no, and writing."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from geosleuth.training.lora.lessons_of import Source, StageLessons
from geosleuth.training.small_vlm.lessons import Descriptions, Pair
from geosleuth.training.small_vlm.practice import Colours, Writing, YesNo

_MATCHES = 0.5  # of the pairs


def pictures_of(lessons: StageLessons) -> tuple[Path, ...]:
    """Return the pictures that a curriculum is of, each once."""
    (asked,) = (source.lessons for source in lessons.sources if isinstance(source.lessons, Colours))
    return asked.pictures


def curriculum(towns: Path, *, seed: int = 0) -> StageLessons:
    """Open a world's street views and its pairs in University-1652's form.

    Raises:
        InputError: The folder lacks one of the two layouts.
    """
    from geosleuth.training.datasets.university1652 import university1652
    from geosleuth.training.georeasoner.street_views import read_street_views

    views = read_street_views(towns / "street_views").views
    opened = university1652(towns / "university1652", "train")
    rng = np.random.default_rng([seed, len(views)])
    tiles = {
        int(place): Path(path) for place, path in zip(opened.references.places, opened.references.paths, strict=True)
    }
    photos = [Path(path) for path in opened.queries.paths]
    others = rng.choice([str(tile) for tile in tiles.values()], len(photos))
    own = rng.random(len(photos)) < _MATCHES
    pairs = [
        Pair(photo, tiles[int(place)] if same else Path(other), "satellite")
        for photo, place, same, other in zip(photos, opened.queries.places, own, others, strict=True)
    ]
    pictures = [view.path for view in views] + photos + list(tiles.values())
    cities = sorted({view.city for view in views if view.city})
    parts = (
        Descriptions(pictures, pairs, seed=seed),
        YesNo(pictures, seed=seed),
        Colours(pictures),
        Writing(len(pictures) // 2, cities, seed=seed),  # short: a tenth of what is computed
    )
    return StageLessons([Source(part, np.arange(len(part)), len(part)) for part in parts])
