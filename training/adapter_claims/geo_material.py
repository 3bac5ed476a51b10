"""The street views of the claims: what is taught, what is asked, and how much of its place each one shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from geosleuth.training.georeasoner.lessons import location_lessons, reasoning_lessons
from geosleuth.training.georeasoner.reasoned import Reasoned, read_reasoned
from geosleuth.training.georeasoner.street_views import StreetView, StreetViews, read_street_views
from geosleuth.training.locatability.curation import passes
from geosleuth.training.locatability.score_set import score_views
from geosleuth.training.lora.lesson import Lessons

THRESHOLDS = (0.0, 0.2, 0.4, 0.5)  # on these towns nothing scores above 0.6
PAPERS = 0.4
REASONED = 400  # views with reasons: fewer than the geotagged ones, as in the paper (3 K and 70 K)
_SPLITS = ("train", "held_out_town", "held_out_country")
_KEPT_BACK = 5  # of the views of taught towns one in so many is asked, and not taught


@dataclass(frozen=True)
class GeoMaterial:
    """All street views of a world, scored."""

    taught: tuple[StreetView, ...]
    same_towns: tuple[StreetView, ...]  # other views of the taught towns: their cities are known
    held_out_towns: tuple[StreetView, ...]  # other towns of the taught countries
    held_out_countries: tuple[StreetView, ...]
    reasoned: Reasoned  # of the taught views

    @property
    def seen_countries(self) -> frozenset[str]:
        """ISO codes."""
        return frozenset(view.country for view in self.taught if view.country)

    def kept(self, threshold: float) -> tuple[StreetView, ...]:
        """Taught views above a threshold of locatability."""
        return tuple(view for view in self.taught if passes(view.locatability or 0.0, threshold))

    def lessons(self) -> dict[str, Callable[[], Lessons | list[Lessons]]]:
        """Lessons by the name that runs give them."""
        found: dict[str, Callable[[], Lessons | list[Lessons]]] = {
            f"located above {one:g}": partial(location_lessons, self.kept(one)) for one in THRESHOLDS
        }
        found["reasoned"] = partial(reasoning_lessons, self.reasoned_kept())
        found["both"] = self._both
        return found

    def reasoned_kept(self) -> Reasoned:
        """The reasoned ones among the kept, as many as are taught."""
        kept = {view.path for view in self.kept(PAPERS)}
        return replace(self.reasoned, views=tuple(one for one in self.reasoned.views if one.path in kept)[:REASONED])

    def _both(self) -> list[Lessons]:
        return [reasoning_lessons(self.reasoned_kept()), location_lessons(self.kept(PAPERS))]


def geo_material(towns: Path, work: Path) -> GeoMaterial:
    """Read a world's street views, and score them by their masks; scores are kept.

    Raises:
        InputError: The world lacks them.
    """
    root = towns / "street_views"
    scored = {split: _scored(read_street_views(root, split=split), work / "scores" / split) for split in _SPLITS}
    own = scored["train"]
    drawn = np.random.default_rng(0).permutation(len(own))  # views stand town by town
    back = set(drawn[: len(own) // _KEPT_BACK].tolist())
    taught = tuple(view for i, view in enumerate(own) if i not in back)
    order = [int(i) for i in drawn if int(i) not in back]
    paths = {own[i].path: number for number, i in enumerate(order)}
    reasoned = read_reasoned(root / "reasoned.jsonl", root)
    views = sorted((one for one in reasoned.views if one.path in paths), key=lambda one: paths[one.path])
    return GeoMaterial(
        taught,
        tuple(own[i] for i in sorted(back)),
        scored["held_out_town"],
        scored["held_out_country"],
        replace(reasoned, views=tuple(views)),
    )


def _scored(views: StreetViews, out: Path) -> tuple[StreetView, ...]:
    scores = score_views(views, out, masks=True)
    return tuple(replace(view, locatability=scores.of(view.path)) for view in views.views)


def some(views: Sequence[StreetView], number: int) -> tuple[StreetView, ...]:
    """Draw views, always the same ones."""
    chosen = np.random.default_rng(1).permutation(len(views))[:number]
    return tuple(views[int(i)] for i in sorted(chosen))
