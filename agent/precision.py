"""A cap on the precision of answers, for people who may not be found closer than that.

The cap is applied to the finished answer, so that nothing in it (terminal, JSON, GeoJSON, KML) is finer.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from geosleuth.agent.localization import (
    Closing,
    Geometry,
    Localization,
    Point,
    RegionFeature,
    RegionProperties,
    Regions,
    TraceStep,
    WeighedEvidence,
)
from geosleuth.agent.references import withheld_index
from geosleuth.agent.state import PERCEIVE
from geosleuth.tools.evidence import Evidence, Support

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

_KM_PER_DEGREE = 111.195  # of latitude, on the sphere of the mean radius
_CITY_KM = 10.0  # a city's name tells its position to about this; under a cap beyond it, the name goes too
_OF_REFERENCES = {"retrieve", "verify", "compare", "gleam_x", "retrieval", "verification"}  # tools that name references
_NO_MODELS = {PERCEIVE, "RulePlanner"}  # planners whose arguments are those of a table
_FOLDERS = re.compile(r"\b(dir|file):[^;+)]*/")  # of specs in `backends`: they may be named after a case
_WIDE = 4  # times the cap: the outline of a region this wide says nothing finer than the cap


def coarsen(answer: Localization, cap_km: float) -> Localization:
    """Return the answer on a grid of `cap_km`; position, radius, city, regions and the claims that name a place."""
    point = answer.point and snap(answer.point.lat, answer.point.lon, cap_km)
    city = answer.city if answer.city and cap_km <= _CITY_KM else None
    if city:
        snapped = snap(city.lat, city.lon, cap_km)
        city = city.model_copy(update={"lat": snapped.lat, "lon": snapped.lon})
    withheld = [_names_place(item.type, item.likelihood, item.support) for item in answer.evidence]
    steps = {item.step for item, hidden in zip(answer.evidence, withheld, strict=True) if hidden}
    steps |= {step.step for step in answer.trace if _of_references(step.tool)}
    mentioned = {i for i, hidden in enumerate(withheld) if hidden}
    failed = [step.failure.reason for step in answer.trace if step.step in steps and step.failure]
    failed += answer.closing.unbacked if answer.closing else ()
    notes = [_words(cap_km) if any(reason in note for reason in failed) else note for note in answer.notes]
    if answer.candidates:
        notes.append(f"{len(answer.candidates)} compared references are withheld: their positions are exact.")
    notes.append(f"This answer was coarsened to {cap_km:g} km on purpose (precision_cap_km).")
    return answer.model_copy(
        update={
            "point": point,
            "radius_km": None if answer.radius_km is None else max(answer.radius_km, cap_km),
            "city": city,
            "regions": Regions(features=tuple(_coarse_feature(f, cap_km) for f in answer.regions.features)),
            "evidence": tuple(_withheld(e, cap_km) if h else e for e, h in zip(answer.evidence, withheld, strict=True)),
            "contradictions": tuple(
                c.model_copy(update={"claim": _words(cap_km)}) if mentioned & set(c.evidence) else c
                for c in answer.contradictions
            ),
            "candidates": (),
            "trace": tuple(_untold(s, cap_km) if s.step in steps else _wordless(s, cap_km) for s in answer.trace),
            "closing": answer.closing and _untold_closing(answer.closing, cap_km),
            "backends": withheld_backends(answer.backends),
            "precision_cap_km": cap_km,
            "notes": tuple(notes),
        }
    )


def withheld_backends(backends: Mapping[str, str]) -> dict[str, str]:
    """What ran, without folders: they are named after towns and cases."""
    return {
        name: withheld_index(what) if name == "index" else _FOLDERS.sub(r"\1:", what) for name, what in backends.items()
    }


def coarsen_step(
    step: TraceStep, evidence: Sequence[Evidence], cap_km: float
) -> tuple[TraceStep, tuple[Evidence, ...]]:
    """Return a step as it may be told while the run goes on, without the evidence that `coarsen` would withhold."""
    told = tuple(item for item in evidence if not _names_place(item.type, item.likelihood.kind, item.support))
    hidden = len(told) < len(evidence) or _of_references(step.tool)
    return (_untold(step, cap_km) if hidden else _wordless(step, cap_km)), told


def snap(lat: float, lon: float, cap_km: float) -> Point:
    """Move a position to the middle of its square of about `cap_km`; equal squares give equal answers."""
    south, _, north, _ = _square(lat, lon, cap_km)
    middle = max(-90.0, min(90.0, (south + north) / 2))
    _, west, _, east = _square(middle, lon, cap_km)
    return Point(lat=round(middle, 6), lon=round(max(-180.0, min(180.0, (west + east) / 2)), 6))


def _square(lat: float, lon: float, cap_km: float) -> tuple[float, float, float, float]:
    """(south, west, north, east) of the grid square that holds a position."""
    height = cap_km / _KM_PER_DEGREE
    south = math.floor(lat / height) * height
    row = max(-90.0, min(90.0, south + height / 2))  # the width is that of the row, the same for all its squares
    width = min(height / max(math.cos(math.radians(row)), 1e-3), 360.0)
    west = math.floor(lon / width) * width
    return south, west, south + height, west + width


def _coarse_feature(feature: RegionFeature, cap_km: float) -> RegionFeature:
    from pyproj import Geod
    from shapely import box, union_all
    from shapely.geometry import shape

    parts: list[BaseGeometry] = []
    for part in getattr(whole := shape(feature.geometry.model_dump()), "geoms", [whole]):
        west, south, east, north = part.bounds
        if (north - south) * _KM_PER_DEGREE > _WIDE * cap_km:
            parts.append(part)
            continue
        low, high = _square(south, west, cap_km), _square(north, east, cap_km)
        corners = (min(low[1], high[1]), low[0], max(low[3], high[3]), high[2])
        parts.append(
            box(max(-180.0, corners[0]), max(-90.0, corners[1]), min(180.0, corners[2]), min(90.0, corners[3]))
        )
    outline = union_all(parts)
    area = abs(Geod(ellps="WGS84").geometry_area_perimeter(outline)[0]) / 1e6
    found = outline.__geo_interface__
    return RegionFeature(
        geometry=Geometry(type=found["type"], coordinates=list(found["coordinates"])),
        properties=RegionProperties(share=feature.properties.share, area_km2=max(area, feature.properties.area_km2)),
    )


def _withheld(item: WeighedEvidence, cap_km: float) -> WeighedEvidence:
    """Names and coordinates in a claim would give away what the point does not."""
    return item.model_copy(update={"claim": _words(cap_km), "support": (), "group": None})


def _names_place(kind: str, likelihood: str, support: Sequence[Support]) -> bool:
    """A sign's words name its town wherever they are quoted, under the language that they are in as well.

    So does what a model calls the place, even where no gazetteer knows it and nothing follows.
    """
    quotes = any(one.text for one in support) or kind == "prior.place"
    return likelihood == "near_points" or quotes or _of_references(kind.split(".")[0])


def _of_references(tool: str) -> bool:
    return tool in _OF_REFERENCES


def _untold(step: TraceStep, cap_km: float) -> TraceStep:
    """What a step found, or the file over which it failed, may name a place; that it was made stays."""
    failure = step.failure and step.failure.model_copy(update={"reason": _words(cap_km)})
    return _wordless(step, cap_km).model_copy(update={"result": _words(cap_km), "failure": failure})


def _wordless(step: TraceStep, cap_km: float) -> TraceStep:
    """Without what a model made up: it may name the place that it believes to see, as a tool's name too."""
    if step.failure is not None and step.failure.kind == "malformed":
        failure = step.failure.model_copy(update={"reason": _words(cap_km)})
        step = step.model_copy(update={"tool": "?", "result": _words(cap_km), "failure": failure})
    if step.by in _NO_MODELS:
        return step
    thought = step.thought and _words(cap_km)
    return step.model_copy(update={"thought": thought, "args": dict.fromkeys(step.args, "withheld")})


def _untold_closing(closing: Closing, cap_km: float) -> Closing:
    """That a planner said more than the tools found stays; what it said goes."""
    hidden = {name: (_words(cap_km),) for name in ("unbacked", "unbacked_thoughts") if getattr(closing, name)}
    return closing.model_copy(update={"words": _words(cap_km) if closing.words else "", **hidden})


def _words(cap_km: float) -> str:
    return f"Withheld: it may name a place more closely than the cap of {cap_km:g} km."
