"""What GeoReasoner's two adapters are taught: a photo, the prior's own question, and the answer that is right.

The first stage learns places with reasons from reasoned pairs, the second country and city from geotagged street views
(arXiv 2406.18572). The question is `georeasoner_reply.prompt`'s to the letter and the answer `georeasoner_reply.
written`'s, so that a taught model is asked, scored and read as it was taught. The paper's second open question, places
finer than a city, is an option: the position follows the city, as coordinates or as a cell of H3.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.photo import load_photo
from geosleuth.tools.georeasoner_reply import CELL_RESOLUTION, prompt, written
from geosleuth.tools.vlm.model import Turn
from geosleuth.training.georeasoner.reasoned import Reasoned
from geosleuth.training.georeasoner.street_views import StreetView, StreetViews
from geosleuth.training.lora.lesson import Lesson

StreetLevel = Literal["none", "coordinates", "cell"]
STREET_LEVELS = ("none", "coordinates", "cell")
NO_COUNTRY = "no country, no city"  # of a street view: at sea, and nothing to learn


@dataclass(frozen=True)
class GeoLessons:
    """Photos with answers; a photo is decoded when its lesson is asked for, in whichever process that is."""

    paths: tuple[Path, ...]
    answers: tuple[str, ...]
    facts: Mapping[str, Any]  # where they are from

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> Lesson:
        """Return a lesson.

        Raises:
            InputError: The picture cannot be read.
        """
        asked = prompt(load_photo(self.paths[index]).pixels).turns
        return Lesson((*asked, Turn("assistant", (self.answers[index],))))

    def about(self) -> Mapping[str, Any]:
        """Say where the lessons are from, how many, and what was skipped and why, as JSON."""
        return {**self.facts, "lessons": len(self)}


def reasoning_lessons(reasoned: Reasoned, *, street_level: StreetLevel = "none") -> GeoLessons:
    """Teach country, city and reasons: the first stage.

    Args:
        reasoned: The pairs.
        street_level: What follows the city of those that have a position; see `location_lessons`.

    Raises:
        InputError: No such street level.
    """
    answers = [
        written(view.country, view.city, reasons=view.reasons, **_finer(view.position, street_level))
        for view in reasoned.views
    ]
    facts = _facts("reasoning", reasoned, street_level, [view.country for view in reasoned.views])
    return GeoLessons(tuple(view.path for view in reasoned.views), tuple(answers), facts)


def location_lessons(views: StreetViews | Sequence[StreetView], *, street_level: StreetLevel = "none") -> GeoLessons:
    """Teach country and city: the second stage.

    Args:
        views: Of a set, or some of them.
        street_level: What follows the city: "none"; "coordinates", in degrees to four decimals (11 m); or "cell", of
            H3 at resolution 8, whose middle is within some 0.6 km.

    Raises:
        InputError: No such street level, or no view with a country or a city.
    """
    kept = [view for view in views if view.country or view.city]
    if not kept:
        remedy = "Name other views, or their countries in the manifest."
        raise InputError("street views with a country or a city", f"none among {len(views):,}", remedy)
    answers = [written(view.country, view.city, **_finer((view.lat, view.lon), street_level)) for view in kept]
    facts = _facts("location", views, street_level, [view.country for view in kept])
    if len(kept) < len(views):
        facts["skipped"] = {**facts["skipped"], NO_COUNTRY: len(views) - len(kept)}
    return GeoLessons(tuple(view.path for view in kept), tuple(answers), facts)


def _finer(position: tuple[float, float] | None, street_level: StreetLevel) -> dict[str, Any]:
    if street_level not in STREET_LEVELS:
        remedy = f"Name one of {', '.join(STREET_LEVELS)}."
        raise InputError("a street level that can be taught", repr(street_level), remedy)
    if position is None or street_level == "none":
        return {}
    if street_level == "coordinates":
        return {"lat": position[0], "lon": position[1]}
    import h3

    return {"cell": h3.latlng_to_cell(*position, CELL_RESOLUTION)}


def _facts(
    kind: str, source: Reasoned | StreetViews | Sequence[StreetView], street_level: str, countries: list[str | None]
) -> dict[str, Any]:
    about = {} if isinstance(source, Sequence) else source.about()
    return {
        "kind": kind,
        "name": about.get("name", "street views"),
        "street_level": street_level,
        "by_country": dict(Counter(code or "unknown" for code in countries).most_common()),
        "skipped": about.get("skipped", {}),
        "notes": about.get("notes", {}),
    }
