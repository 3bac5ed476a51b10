"""Three ways to score a street view: by a segmenter, by masks that lie beside the pictures, by the embedded score.

All end on one scale, [0, 1], but only the first two are GeoReasoner's formula: the embedded score was made for the
agent, knows no classes, and reads no text here. So a threshold of the paper means nothing for it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from PIL import Image
from pydantic import BaseModel, ConfigDict

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.photo import open_photo
from geosleuth.indexes.photo_file import check_pixels, quiet_decoder
from geosleuth.tools.ade20k import CLASSES, class_name
from geosleuth.tools.class_weights import Weights, published_weights, read_weights
from geosleuth.tools.learned_locatability import locatability
from geosleuth.tools.locatability import Locatability, score_locatability

if TYPE_CHECKING:
    from geosleuth.tools.segmentation import Segmenter, Shares

Method = Literal["segmenter", "masks", "embedded"]

MASKS = "labels"  # folder of masks, below the data set's root, as `geosleuth towns` writes them
_LEADING = 3  # classes kept with a score: they make up nearly all of it on streets
_DECIMALS = 6  # the published example is told to so many
_GPU_BATCH = 16  # pictures: the maps of 150 classes take 2.5 GB at this number
_CPU_BATCH = 4  # a CPU gains nothing by more; what a kill loses is small


@dataclass(frozen=True, slots=True)
class Scored:
    """What is said of one picture."""

    score: float  # in [0, 1]
    leading: dict[str, float] = field(default_factory=dict)  # what each class adds; of the embedded score its parts
    flag: str | None = None  # "black", "blank", "noise": nothing is shown, and no segmenter was asked


class ScoreSettings(BaseModel):
    """What scores depend on: only equal ones may stand in one file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    method: Method
    model: str = ""  # name@hash of the segmenter
    class_weights: str = ""  # "published", or a file's name
    class_weights_sha256: str = ""  # of the 150 numbers

    def words(self) -> str:
        """Say how it was scored, for a report."""
        weights = f"class weights: {self.class_weights}, {self.class_weights_sha256[:12]}"
        if self.method == "segmenter":
            return f"GeoReasoner's formula over the classes that {self.model} sees; {weights}"
        if self.method == "masks":
            return f"GeoReasoner's formula over the masks beside the pictures (exact shares, no segmenter); {weights}"
        return "the embedded score (no segmenter, no text read), which is not GeoReasoner's formula"


class Scorer(Protocol):
    """A way to score pictures; `prepare` runs in threads, `score` in one."""

    @property
    def settings(self) -> ScoreSettings: ...  # noqa: D102
    @property
    def batch(self) -> int: ...  # noqa: D102
    def prepare(self, path: Path) -> Any: ...  # noqa: D102
    def score(self, prepared: Sequence[Any]) -> list[Scored]: ...  # noqa: D102


def load_scorer(
    *, segmenter: str | None, weights: Path | None, masks: bool = False, device: str | None = None
) -> Scorer:
    """Choose the way.

    Args:
        segmenter: hf:ORG/NAME[@REV] or dir:PATH; None = masks, or else the embedded score.
        weights: A table of class weights; None = the published ones.
        masks: Take the classes from the masks beside the pictures.
        device: Of the segmenter, as torch names it; None = a GPU where there is one.

    Raises:
        InputError: A part cannot be had, or parts do not go together.
    """
    if segmenter and masks:
        raise InputError("a segmenter or masks", "both", "Leave one of the two away.")
    if device and not segmenter:
        raise InputError("a device for a segmenter", f"{device} without one", "Name a segmenter, or no device.")
    if not segmenter and not masks:
        if weights:
            found = f"{weights} for the embedded score, which knows no classes"
            raise InputError("class weights for a segmenter or masks", found, "Name a segmenter, or use the masks.")
        return EmbeddedScorer()
    table = read_weights(weights) if weights else published_weights()
    name = weights.name if weights else "published"
    if masks:
        return MaskScorer(table, name)
    if not str(segmenter).strip().startswith(("hf:", "dir:")):
        found = repr(segmenter)
        raise InputError("a segmenter of ADE20K's classes", found, "Name one: hf:ORG/NAME[@REV] or dir:PATH.")
    from geosleuth.tools.segmentation import load_segmenter

    return SegmentScorer(load_segmenter(str(segmenter), device), table, name)


class EmbeddedScorer:
    """The agent's score without a model, and without the reader of text: 0.7 at most."""

    settings = ScoreSettings(method="embedded")
    batch = _CPU_BATCH

    def prepare(self, path: Path) -> Locatability:
        """All is done in the thread."""
        return score_locatability(open_photo(path))

    def score(self, prepared: Sequence[Locatability]) -> list[Scored]:
        """Take over what the threads found."""
        return [_embedded(one) for one in prepared]


class SegmentScorer:
    """The formula over what a segmenter sees."""

    def __init__(self, segmenter: Segmenter, table: Weights, name: str) -> None:
        self._segmenter, self._table = segmenter, table
        self.batch = _CPU_BATCH if segmenter.device.type == "cpu" else _GPU_BATCH
        self.settings = ScoreSettings(
            method="segmenter", model=segmenter.weights, class_weights=name, class_weights_sha256=_sha256(table)
        )

    def prepare(self, path: Path) -> Any:
        """Decode, and look whether anything is shown: models name something in a black picture all the same."""
        photo = open_photo(path)
        embedded = score_locatability(photo)
        return _embedded(embedded) if embedded.flag else self._segmenter.prepare(photo)

    def score(self, prepared: Sequence[Any]) -> list[Scored]:
        """Run the segmenter over those that show something."""
        shares = iter(self._segmenter.shares_of([one for one in prepared if not isinstance(one, Scored)]))
        return [one if isinstance(one, Scored) else formula(next(shares), self._table) for one in prepared]


class MaskScorer:
    """The formula over masks: what the segmenter would see if it were always right."""

    batch = 64  # pictures; nothing waits for a device

    def __init__(self, table: Weights, name: str) -> None:
        self._table = table
        self.settings = ScoreSettings(method="masks", class_weights=name, class_weights_sha256=_sha256(table))

    def prepare(self, path: Path) -> Shares:
        """Read the mask; the picture itself is not opened."""
        return mask_shares(mask_of(path))

    def score(self, prepared: Sequence[Shares]) -> list[Scored]:
        """Apply the formula."""
        return list(map(partial(formula, table=self._table), prepared))


def formula(shares: Shares, table: Weights) -> Scored:
    """Apply GeoReasoner's formula, and keep the classes that add the most."""
    added = shares * table
    order = np.argsort(-added, kind="stable")[:_LEADING].tolist()
    leading = {class_name(index): round(float(added[index]), _DECIMALS) for index in order if added[index] > 0}
    return Scored(round(locatability(shares, table), _DECIMALS), leading)


def mask_of(path: Path) -> Path:
    """Find the mask of a picture: ROOT/labels/FILE.png for ROOT/FILE.jpg, whichever of its folders is the root.

    Raises:
        InputError: There is none.
    """
    for root in path.parents:
        mask = (root / MASKS / path.relative_to(root)).with_suffix(".png")
        if mask.is_file():
            return mask
    remedy = "Write towns with labels, or name a segmenter."
    raise InputError(f"a mask of ADE20K's classes in a folder {MASKS}", "none", remedy)


def mask_shares(path: Path) -> Shares:
    """Count a mask's classes as shares (150,): 1 to 150 in the order of ADE20K, 0 where nothing is labelled.

    Raises:
        InputError: It is no such mask.
    """
    wanted = f"a mask of one byte a pixel, 0 to {CLASSES}"
    with quiet_decoder(), Image.open(path) as image:
        check_pixels(image.size, path.name)
        if image.mode not in ("L", "P"):
            raise InputError(wanted, f"a picture of mode {image.mode}", "Write the classes, not their colours.")
        labels = np.asarray(image)
    counts = np.bincount(labels.ravel(), minlength=CLASSES + 1)
    if counts.size > CLASSES + 1:
        raise InputError(wanted, f"a {counts.size - 1}", "Number the classes as ADE20K does, from 1.")
    return np.asarray(counts[1:] / labels.size, np.float64)


def _embedded(found: Locatability) -> Scored:
    parts = {name: round(value, _DECIMALS) for name, value in found.parts.items() if value > 0}
    return Scored(round(found.score, _DECIMALS), {} if found.flag else parts, found.flag)


def _sha256(table: Weights) -> str:
    return hashlib.sha256(np.asarray(table, "<f8").tobytes()).hexdigest()
