"""From matches of clues and classes to a weight per class.

The paper says that clues are matched to class labels in a text space, and that the weights are min-max normalised; how
many classes a clue may match, and whether matches are summed or counted, it leaves open. The published weights let one
guess: their smallest values above 0 lie in groups near one, two, three and four times 0.0009, each with some spread, as
sums of similarities would and counts would not; and all of them make some 15,000 such matches, five for each of 3,000
clues.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.errors import InputError
from geosleuth.tools.class_weights import Weights
from geosleuth.training.locatability.matching import Similarities

Total = Literal["sum", "count"]
TOP = 5  # classes that a clue may match, see above


def class_totals(similarities: Similarities, *, top: int = TOP, total: Total = "sum") -> NDArray[np.float64]:
    """Add up, per class, the clues that it is among the `top` closest of; (150,).

    Args:
        similarities: (clues, 150); only those above 0 match.
        top: Classes per clue; of equally close ones those of the lower index.
        total: "sum" adds their similarities, "count" counts them.
    """
    order = np.argsort(-similarities, axis=1, kind="stable")[:, :top]
    closest = np.take_along_axis(similarities, order, axis=1).astype(np.float64)
    added = np.where(closest > 0, 1.0, 0.0) if total == "count" else np.maximum(closest, 0.0)
    return np.asarray(np.bincount(order.ravel(), added.ravel(), similarities.shape[1]), np.float64)


def min_max(totals: NDArray[np.float64]) -> Weights:
    """Bring totals to [0, 1]: the least to 0, the largest to 1.

    Raises:
        InputError: All are the same, so that there is nothing to tell classes apart.
    """
    low, high = float(totals.min()), float(totals.max())
    if not high > low:
        found = f"{high:g} for each of them"
        raise InputError("classes that clues speak of to different degrees", found, "Give more clues, or an encoder.")
    return np.asarray((totals - low) / (high - low))
