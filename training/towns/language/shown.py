"""What is known of one view of an invented town: its list of things, its mask, its pixels and the facts beside them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from geosleuth.indexes.errors import InputError
from geosleuth.training.towns.language.colours import pixel_shares
from geosleuth.training.towns.language.scene_facts import BUILT
from geosleuth.training.towns.making.classes import class_number
from geosleuth.training.towns.making.style import Style
from geosleuth.training.towns.making.styles import style_of
from geosleuth.training.towns.town import Seen

_WANTED = "a picture of towns with its mask and its list of things"
_REMEDY = "Name a picture of `geosleuth towns`, written without --no-labels."


@dataclass(frozen=True, eq=False)
class Shown:
    """A view and what is said of it."""

    view: str  # ground, panorama, drone, satellite, map
    modality: str
    country: str  # whose invented style it has
    extent_m: float | None  # side of a tile
    seen: tuple[Seen, ...]
    labels: NDArray[np.uint8]  # (h, w) ADE20K
    pixels: NDArray[np.uint8]  # (h, w, 3)
    scene: Mapping[str, Any] = field(default_factory=dict)  # `scene_facts`; worlds of before have none

    @property
    def style(self) -> Style:
        """The invented look of its country."""
        return style_of(self.country)

    @property
    def in_daylight_colours(self) -> bool:
        """Whether the colours of things can be told."""
        return self.view != "map" and not any(word in self.modality for word in ("night", "infrared"))

    @cached_property
    def _shares(self) -> NDArray[np.float64]:
        return np.bincount(self.labels.ravel(), minlength=256) / self.labels.size

    @cached_property
    def built_colours(self) -> dict[str, float]:
        """The share of each named colour among the pixels of what is built."""
        return pixel_shares(self.pixels, self.inside(*BUILT))

    def share(self, *kinds: str) -> float:
        """Return the share of the mask that classes have."""
        return float(sum(self._shares[class_number(kind)] for kind in kinds))

    def inside(self, *kinds: str) -> NDArray[np.bool_]:
        """Return where the mask has one of some classes, (h, w)."""
        return np.isin(self.labels, [class_number(kind) for kind in kinds])

    def largest(self, *kinds: str) -> float:
        """Return the share of the largest thing of some classes, 0 where there is none."""
        return max((one.share for one in self.seen if one.kind in kinds), default=0.0)


def shown_on_disk(picture: Path, root: Path | None = None) -> Shown:
    """Read what lies beside a picture of towns.

    Args:
        picture: Of any layout.
        root: The data set's folder; None looks for it above the picture.

    Raises:
        InputError: It is no picture of towns, or was written without labels.
    """
    root, file = _placed(picture, root)
    listing, mask = (root / "objects" / file).with_suffix(".json"), (root / "labels" / file).with_suffix(".png")
    try:
        said = json.loads(listing.read_text(encoding="utf-8"))
        with Image.open(mask) as labels, Image.open(picture) as pixels:
            return Shown(
                view=said["view"], modality=said["modality"], country=said["country"], extent_m=said["extent_m"],
                seen=tuple(_seen(one) for one in said["seen"]), labels=np.asarray(labels, np.uint8),
                pixels=np.asarray(pixels.convert("RGB")), scene=said.get("scene", {}),
            )  # fmt: skip
    except (OSError, UnidentifiedImageError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(_WANTED, f"{picture}: {type(error).__name__} at {listing}", _REMEDY) from error


def _placed(picture: Path, root: Path | None) -> tuple[Path, Path]:
    """Return the data set's folder and the picture's path below it."""
    picture = picture.absolute()
    for folder in [root.absolute()] if root else picture.parents:
        if picture.is_relative_to(folder):
            file = picture.relative_to(folder)
            if (folder / "objects" / file).with_suffix(".json").is_file():
                return folder, file
    raise InputError(_WANTED, f"{picture}, with no list of things", _REMEDY)


def _seen(one: Mapping[str, Any]) -> Seen:
    left, top, right, bottom = one["box"]
    return Seen(one["kind"], one["share"], (left, top, right, bottom), one["text"], one["language"])
