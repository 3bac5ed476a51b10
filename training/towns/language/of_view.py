"""Which features a view of an invented town shows: decided by rules from what lies beside it, never by a model."""

from __future__ import annotations

from pathlib import Path

from geosleuth.training.towns.language.scene_facts import scene_facts
from geosleuth.training.towns.language.shown import Shown, shown_on_disk
from geosleuth.training.towns.language.vocabulary import FEATURES
from geosleuth.training.towns.town import Rendered, Town


def features_of(picture: Path, root: Path | None = None) -> frozenset[str]:
    """Return ids of the features of a picture that `geosleuth towns` wrote.

    Of worlds written before the field "scene" there are no junctions, no wide roads, no side of traffic, and colours
    are read from the pixels.

    Args:
        picture: Of any layout.
        root: The data set's folder; None looks for it above the picture.

    Raises:
        InputError: It is no picture of towns, or was written without labels.
    """
    return features_shown(shown_on_disk(picture, root))


def features_of_rendered(
    rendered: Rendered, town: Town, *, view: str, x_m: float, y_m: float, modality: str | None = None,
    heading_deg: float | None = None, extent_m: float | None = None,
) -> frozenset[str]:  # fmt: skip
    """Return ids of the features of a view that was just drawn; see `scene_facts` for the arguments."""
    scene = scene_facts(town, rendered, view=view, x_m=x_m, y_m=y_m, heading_deg=heading_deg, extent_m=extent_m)
    return features_shown(
        Shown(
            view, modality or view, town.style.country, extent_m, rendered.seen, rendered.labels, rendered.pixels, scene
        )
    )


def features_shown(shown: Shown) -> frozenset[str]:
    """Return ids of the features of a view."""
    return frozenset(one.id for one in FEATURES if one.can_be_judged(shown) and one.rule(shown))


def judged_in(shown: Shown) -> frozenset[str]:
    """Return ids of the features that the view would show if they were there."""
    return frozenset(one.id for one in FEATURES if one.can_be_judged(shown))
