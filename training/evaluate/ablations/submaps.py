"""Submaps: the whole gallery, the prior's countries, or K-means cells near its point."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from geosleuth.tools.submap import select_submap
from geosleuth.tools.submap_cells import nearest_cells
from geosleuth.training.evaluate.ablations.arm import Ablation, ArmResult, Results, flag, recall

if TYPE_CHECKING:
    from geosleuth.tools.submap import Submap
    from geosleuth.training.evaluate.ablations.prior import Opinion
    from geosleuth.training.evaluate.ablations.setup import Look

CELLS = (10, 50, 100, 200, 500)
_FIRST = (1, 3, 10)  # countries
_SHARE = 0.95  # of the belief: the agent's
WHOLE = "no submap"


def run(look: Look) -> Results:
    """Search each submap, by similarity alone."""
    return {name: _searched(look, area) for name, area in _areas(look).items()}


def _areas(look: Look) -> dict[str, Submap | None]:
    opinion, setup = look.opinion, look.setup
    areas: dict[str, Submap | None] = {WHOLE: None}
    for n in _FIRST:
        name = "likeliest country" if n == 1 else f"{n} likeliest countries"
        areas[f"{name}, buffered"] = first_countries(opinion, n, setup.buffer_km)
        areas[f"{name}, not buffered"] = first_countries(opinion, n, 0.0)
    areas["countries with 95 % of the belief, buffered"] = held_countries(opinion, setup.buffer_km)
    areas["countries with 95 % of the belief, not buffered"] = held_countries(opinion, 0.0)
    for k in CELLS:
        areas[f"K-means, K = {k}, 3 nearest"] = nearest_cells(setup.cells(k), opinion.point)
    return areas


def first_countries(opinion: Opinion, n: int, buffer_km: float) -> Submap:
    """The n likeliest countries."""
    return select_submap(dict(islice(opinion.countries.items(), n)), share=1.0, buffer_km=buffer_km)


def held_countries(opinion: Opinion, buffer_km: float) -> Submap:
    """The fewest countries that hold 95 % of the belief."""
    return select_submap(opinion.countries, share=_SHARE, buffer_km=buffer_km)


def _searched(look: Look, area: Submap | None) -> ArmResult:
    found = look.search(area)
    values = recall(look, found.candidates)
    values["share of the gallery searched"] = found.searched / max(found.references, 1)
    asked_for_part = area is not None
    fell_back = asked_for_part and found.submap_reason is not None
    values["searched whole instead"] = flag(fell_back) if asked_for_part else None
    values["right reference cut off"] = None
    if asked_for_part and look.known_near:
        values["right reference cut off"] = flag(not fell_back and not _holds_near(look, area))
    return ArmResult(values=values)


def _holds_near(look: Look, area: Submap | None) -> bool:
    return area is None or bool(area.contains(*look.setup.near(look.query.position)).any())


TABLE = Ablation(
    "submaps",
    "(a) Submaps",
    "What does it help to search only where the prior points, and how should that part be cut?",
    run,
    baseline=WHOLE,
    needs_prior=True,
    distances=True,
    note=(
        "Candidates are in the order of similarity. A submap that leaves fewer than 20 references gives way to the "
        "whole gallery. The belief is the prior's prediction over where photos are taken, as the agent makes it."
    ),
)
