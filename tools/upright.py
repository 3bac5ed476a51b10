"""Turn a photo upright that lies on its side or stands on its head, as photos do that lost their orientation tag.

Nothing reads a sign that stands on its head, and few that run down; models and encoders have seen upright pictures.
A street has its sky above and its ground below: the photo goes through the embedded network in each of its four turns,
and a linear score of which features lie how high says which turn is upright. `training/upright` fits it.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

import numpy as np
from pydantic import BaseModel, ConfigDict, FiniteFloat

from geosleuth.indexes.encoders.embedded import feature_map
from geosleuth.indexes.encoders.resizing import resized
from geosleuth.indexes.geodesy import Floats
from geosleuth.indexes.photo import Photo
from geosleuth.indexes.photo_edit import SMALLEST_PX, Edit, edited
from geosleuth.indexes.pixels import Pixels

# Probability from which a photo is turned. To turn one that is upright costs what it says, to leave one lying no more
# than it cost before, and few lie. Chosen on street-dev: the surest error was 0.72, and 0.98 under a dark band with
# writing. Parts of photos without a sky may be taken for lying ones (training/upright/README.md).
SURE = 0.99
_SIDE_PX = 256  # the photo is squeezed to a square, so that its shape is no clue
_BANDS = 4  # of height, from the top


class UprightWeights(BaseModel):
    """A linear score of a picture's features."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    weights: tuple[tuple[FiniteFloat, ...], ...]  # (bands, channels), as `features_of_turns` has them
    source: str


def turned_upright(photo: Photo) -> Photo:
    """Return a photo that seems to lie as an edited one that does not; any other as it is.

    One that a person has turned or cropped is as they want it. The pixels of one that is turned are let go: it decodes
    them again if it is asked.

    Raises:
        InputError: The photo is damaged (only for one from `open_photo`).
    """
    turn = 0 if photo.edits else seen_turn(photo.pixels)
    if not turn:
        return photo
    turned = edited(photo, Edit.model_validate({"rotate_deg": turn, "detected": True}))
    _ = turned.pixels
    vars(photo).pop("pixels", None)  # a photo of 12 megapixels would be held twice
    return turned


def seen_turn(pixels: Pixels) -> int:
    """Return by how many degrees clockwise, of 0, 90, 180 and 270, a picture has to be turned to stand upright.

    Args:
        pixels: (h, w, 3) uint8 RGB, of any size: a small copy does as well. Of fewer than 32 px nothing is seen.
    """
    if min(pixels.shape[:2]) < SMALLEST_PX:
        return 0
    shares = turn_shares(pixels)
    best = int(shares.argmax())
    return -90 * best % 360 if shares[best] >= SURE else 0


def turn_shares(pixels: Pixels) -> Floats:
    """Return the probabilities, (4,), that a picture is upright as it is, or turned left once, twice, three times."""
    return shares_of(features_of_turns(pixels), np.array(upright_weights().weights))


def shares_of(features: Floats, weights: Floats) -> Floats:
    """Return the probabilities, (..., 4), of features (..., 4, bands, channels) by weights (bands, channels)."""
    scores = np.tensordot(features, weights, 2)
    shares = np.exp(scores - scores.max(-1, keepdims=True))
    return np.asarray(shares / shares.sum(-1, keepdims=True))


def features_of_turns(pixels: Pixels) -> Floats:
    """Return the mean features of four bands of height, (4 turns to the left, 4 bands, channels)."""
    small = resized(pixels, (_SIDE_PX, _SIDE_PX))
    maps = [feature_map(np.ascontiguousarray(np.rot90(small, turns))) for turns in range(4)]
    return np.array([one.mean(2).reshape(len(one), _BANDS, -1).mean(2).T for one in maps], np.float64)


@lru_cache(maxsize=1)
def upright_weights() -> UprightWeights:
    """Read the weights that ship with the package."""
    shipped = files("geosleuth.tools").joinpath("data/upright.json").read_bytes()
    return UprightWeights.model_validate_json(shipped)
