"""What is seen from above: ground, roofs and crowns, out of the town's colour layer."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from geosleuth.training.towns.town import NOTHING
from geosleuth.training.towns.views.rays import Hits
from geosleuth.training.towns.views.scene import GROUND_M, Floats, Scene

_OUTSIDE = (142, 146, 112)  # open country around a town
_GRAIN = 9.0  # levels of grey by which asphalt and grass vary within a metre
_GRAIN_PER_M = 12  # noise pixels
_GRAIN_SEEN_M = 14.0  # beyond, a pixel averages the grain away
_WIDE = 512  # of the maps for remap, which takes no more than 32,767 columns


def tops_at(scene: Scene, hits: Hits, chosen: NDArray[np.bool_], footprint_m: Floats) -> Floats:
    """Return the colour (n, 3) of the pixels that show something from above.

    Args:
        scene: The town.
        hits: What the view meets.
        chosen: (h, w) those pixels; n of them.
        footprint_m: (n,) what a pixel spans on the ground, as a mean of along and across.
    """
    cell = hits.cell[chosen]
    x, y = hits.x_m[chosen], hits.y_m[chosen]
    colour = _ground(scene, x, y, footprint_m)
    roof = hits.owner[chosen] != NOTHING
    if roof.any():
        colour[roof] = scene.tops[cell[roof]]
    grain = scene.noise[_wrapped(scene, y), _wrapped(scene, x)]
    colour += (grain * _GRAIN * np.clip(1 - hits.distance_m[chosen] / _GRAIN_SEEN_M, 0, 1))[:, None]
    return colour


def _ground(scene: Scene, x: Floats, y: Floats, footprint_m: Floats) -> Floats:
    """Sample the ground at n points, the more blurred the more of it a pixel spans."""
    side = np.float32(scene.town.side_m)
    padded = -(-len(x) // _WIDE) * _WIDE
    across, down = (np.resize(at, padded).reshape(-1, _WIDE) for at in (x / side, 1 - y / side))
    levels = []
    for layer in scene.ground:
        column = (across * layer.shape[1] - 0.5).astype(np.float32)
        row = (down * layer.shape[0] - 0.5).astype(np.float32)
        drawn = cv2.remap(layer, column, row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=_OUTSIDE)
        levels.append(drawn.reshape(-1, 3)[: len(x)].astype(np.float32))
    # 0 for a pixel of a cell, 1 for one of the next layer, 2 of the last: between them, a mix.
    level = np.interp(footprint_m, (scene.town.cell_m / 2, *GROUND_M), (0, 1, 2)).astype(np.float32)[:, None]
    low = levels[0] + (levels[1] - levels[0]) * np.minimum(level, 1)
    return np.asarray(low + (levels[2] - low) * np.clip(level - 1, 0, 1), dtype=np.float32)


def _wrapped(scene: Scene, metres: Floats) -> NDArray[np.intp]:
    return np.asarray((metres * _GRAIN_PER_M).astype(np.int64) & (scene.noise.shape[0] - 1))
